import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresStorage } from '../../../src/storage/postgres/postgres-storage';
import { SqliteStorage } from '../../../src/storage/sqlite/sqlite-storage';
import type { Engine, Storage } from '../../../src/storage/storage';
import { acquireDatabase } from '../../support/services/services';

export interface Place {
  /** Another storage over the same, at first empty, database. */
  open(): Promise<Storage>;
  release(): Promise<void>;
}

export interface EngineUnderTest {
  engine: Engine;
  place(): Promise<Place>;
}

export const postgresOptions = (url: string) => ({ url, poolSize: 10, preparedStatements: true });

async function sqlitePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'hookline-storage-'));
  return {
    open: () => SqliteStorage.open(join(folder, 'new', 'hookline.db')),
    release: () => rm(folder, { recursive: true }),
  };
}

async function postgresPlace(): Promise<Place> {
  const database = await acquireDatabase();
  return { open: () => PostgresStorage.open(postgresOptions(database.url)), release: () => database.release() };
}

export const ENGINES: EngineUnderTest[] = [
  { engine: 'sqlite', place: sqlitePlace },
  { engine: 'postgres', place: postgresPlace },
];
