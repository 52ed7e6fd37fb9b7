import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { parseKey } from './secret-key';

/** The key that seals secrets cannot be used; the message is for the operator and says what to do. */
export class SecretKeyError extends Error {
  override readonly name = 'SecretKeyError';
}

/**
 * The key in a file that only this user may read; undefined when there is no such file. A volume that is mounted for a group makes
 * its files the group's: such a file is made private again.
 * @throws SecretKeyError
 */
export function readKeyFile(file: string): Buffer | undefined {
  let text: string;
  try {
    const mode = statSync(file).mode & 0o777;
    if ((mode & 0o007) !== 0) {
      throw new SecretKeyError(
        `Everybody on this machine may read ${file} (mode ${mode.toString(8)}). Run chmod 600 on it, and change the key ` +
          'if somebody may have read it (docs/operations.md, Secrets)',
      );
    }
    if ((mode & 0o070) !== 0) chmodSync(file, 0o600);
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error instanceof SecretKeyError ? error : new SecretKeyError(`${file} cannot be read: ${(error as Error).message}`);
  }
  const bytes = parseKey(text);
  if (bytes === undefined) throw new SecretKeyError(`${file} holds no key: it must be 32 bytes in base64. Restore it from a backup`);
  return bytes;
}

/** Makes a key. Where another process makes one at the same time, both have the same. @throws SecretKeyError */
export function makeKeyFile(file: string): Buffer {
  const made = `${file}.${String(process.pid)}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    rmSync(made, { force: true });
    const descriptor = openSync(made, 'wx', 0o600);
    writeSync(descriptor, `${randomBytes(32).toString('base64')}\n`);
    fsyncSync(descriptor);
    closeSync(descriptor);
    publish(made, file);
    syncFolder(dirname(file));
  } catch (error) {
    throw new SecretKeyError(
      `The key for secrets cannot be written to ${file}: ${(error as Error).message}. Set SECRETS_ENCRYPTION_KEYS, or a DATA_DIR that can be written`,
    );
  } finally {
    rmSync(made, { force: true });
  }
  const bytes = readKeyFile(file);
  if (bytes === undefined) throw new SecretKeyError(`${file} has vanished`);
  return bytes;
}

/** A link comes to be whole or not at all, and never over a file that is there. Some file systems have none. */
function publish(made: string, file: string): void {
  try {
    linkSync(made, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    renameSync(made, file);
  }
}

/** What it seals must not outlive it, should the machine lose its power now. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
