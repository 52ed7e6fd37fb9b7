import { scryptSync } from 'node:crypto';
import { join } from 'node:path';
import { makeKeyFile, readKeyFile } from './key-file';
import { type SecretKey, parseKey, secretKey } from './secret-key';

export interface KeySources {
  /** secrets.encryptionKeys. */
  configured: readonly string[];
  dataDir: string;
  adminKey: string | null;
  /** Other processes, with data folders of their own, may use the same database. */
  sharedDatabase: boolean;
}

export class LoadedKeys {
  constructor(
    /** The first seals. */
    readonly keys: readonly SecretKey[],
    /** Where the first is from, for the log. */
    readonly origin: string,
    /** The file that was made now; undefined where none was. */
    readonly madeFile: string | undefined,
  ) {}
}

/**
 * The keys of this process: those of the settings; else, with a database of its own, the file in the data folder; else the one that
 * all processes with the same ADMIN_KEY derive from it; else the file again. Those that do not seal still open.
 * @throws SecretKeyError
 */
export function loadKeys({ configured, dataDir, adminKey, sharedDatabase }: KeySources, mayMake: boolean): LoadedKeys {
  const file = join(dataDir, 'secrets.key');
  const found: [origin: string, bytes: Buffer | undefined][] = configured.map((text) => ['secrets.encryptionKeys', parseKey(text)]);
  const inFile: [string, Buffer | undefined] = [file, readKeyFile(file)];
  if (!sharedDatabase) found.push(inFile);
  else found.push(['ADMIN_KEY', adminKey === null ? undefined : derivedFrom(adminKey)], inFile);
  const present = found.filter((entry): entry is [string, Buffer] => entry[1] !== undefined);
  const isMissing = present.length === 0 && mayMake;
  if (isMissing) present.push([file, makeKeyFile(file)]);
  const keys = present.map(([, bytes]) => secretKey(bytes));
  return new LoadedKeys(keys, present[0]?.[0] ?? '', isMissing ? file : undefined);
}

/** Slow on purpose: the key's id in a stolen database must be no quick test of guessed admin keys. */
const derivedFrom = (adminKey: string): Buffer =>
  scryptSync(adminKey, 'hookline secrets.encryptionKeys', 32, { N: 32_768, maxmem: 67_108_864 });
