import { DatabaseSync } from '@photostructure/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { SqliteStorage } from '../../../src/storage/sqlite/sqlite-storage';
import { sampleEvent } from './sample-rows';

const unavailable = expect.objectContaining({ code: 'storage_unavailable' }) as Error;

describe('the file of SQLite', () => {
  let folder: string;
  let path: string;
  let storage: SqliteStorage;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hookline-sqlite-'));
    path = join(folder, 'hookline.db');
    storage = await SqliteStorage.open(path);
  });

  afterEach(async () => {
    await storage.close();
    await rm(folder, { recursive: true });
  });

  it('is written ahead and synced at each commit', async () => {
    const { rows: mode } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(storage.db);
    const { rows: sync } = await sql<{ synchronous: number }>`pragma synchronous`.execute(storage.db);
    expect([mode[0]?.journal_mode, sync[0]?.synchronous]).toEqual(['wal', 2]);
  });

  it('that may only be read is storage_unavailable for writes', async () => {
    const readOnly = await SqliteStorage.open(path, { readOnly: true });
    expect(await readOnly.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'default' }]);
    await expect(readOnly.db.deleteFrom('accounts').execute()).rejects.toEqual(unavailable);
    expect(await readOnly.probe()).toBe(false);
    await readOnly.close();
  });

  it('that is full is storage_unavailable, keeps what was committed and works on when there is space', async () => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(storage.db);
    const limit = async (pages: number) => sql.raw(`pragma max_page_count = ${pages}`).execute(storage.db);
    await limit((rows[0]?.page_count ?? 0) + 20);
    const events = Array.from({ length: 50 }, () => ({ ...sampleEvent(), body: new Uint8Array(4_096) }));
    const kept = events.slice(0, 1);
    await storage.insertMany(storage.db, 'events', kept);
    await expect(storage.transaction((trx) => storage.insertMany(trx, 'events', events.slice(1)))).rejects.toEqual(unavailable);
    await expect(storage.insertMany(storage.db, 'events', events.slice(1))).rejects.toEqual(unavailable);
    const ids = await storage.db.selectFrom('events').select('id').execute();
    expect(ids.map((row) => row.id)).toEqual(kept.map((event) => event.id));
    await limit(1_000_000);
    await storage.insertMany(storage.db, 'events', events.slice(1));
    expect(await storage.db.selectFrom('events').select('id').execute()).toHaveLength(50);
  });

  it('waits without blocking while another process writes, and gives up within 5 s', async () => {
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    let turns = 0;
    const counter = setInterval(() => turns++, 5);
    const began = Date.now();
    await expect(storage.db.deleteFrom('meta').execute()).rejects.toEqual(unavailable);
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(turns).toBeGreaterThan(20);
    clearInterval(counter);
    const waiting = storage.probe();
    other.exec('rollback');
    expect(await waiting).toBe(true);
    other.close();
  });
});
