import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';

/** The data folder cannot be used; the message is for the operator. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/** @throws DataFolderError when it can be neither found nor made. */
export function makeDataFolder(dataDir: string): string {
  const folder = resolve(dataDir);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DataFolderError(`The data folder ${folder} cannot be made: ${(error as Error).message}`);
  }
  return folder;
}

/**
 * Makes the folder this process's own until it ends, however it ends: the lock is one that the operating system holds for an
 * open SQLite transaction, so nothing stays behind after `kill -9`.
 * @throws DataFolderError when another process has it.
 */
export function lockDataFolder(folder: string): { release(): void } {
  const file = join(folder, 'lock.db');
  let database: DatabaseSyncInstance | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    const { message } = error as Error;
    throw new DataFolderError(
      /locked|busy/i.test(message)
        ? `Another process works in ${folder}: stop it, or give this one a DATA_DIR of its own`
        : `The data folder ${folder} cannot be locked: ${message}`,
    );
  }
  const held = database;
  return { release: () => held.close() };
}
