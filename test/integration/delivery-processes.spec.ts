import { Logger } from '@nestjs/common';
import { BOOT_ID, newId } from '../../src/core/ids';
import { LiveProcesses } from '../../src/dispatcher/delivery/limits/live-processes';
import { DEAD_MS, FORGOTTEN_MS, GIVEN_UP_MS, GRACE_MS } from '../../src/dispatcher/delivery/limits/ownership';
import { ProcessTable } from '../../src/dispatcher/delivery/limits/process-table';
import { PostgresStorage } from '../../src/storage/postgres/postgres-storage';
import type { Storage } from '../../src/storage/storage';
import { ENGINES, type Place, postgresOptions } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { acquireDatabase } from '../support/services/services';
import { TcpProxy } from '../support/tcp-proxy';

const KEYS = Array.from({ length: 50 }, () => newId());
const shareOf = (processes: LiveProcesses): number => KEYS.filter((key) => processes.isMine(key)).length;

beforeAll(() => Logger.overrideLogger(false));

describe.each(ENGINES)('live processes on $engine', (engine) => {
  let place: Place;
  let storage: Storage;

  beforeEach(async () => {
    place = await engine.place();
    storage = await place.open();
  });
  afterEach(async () => {
    await storage.close();
    await place.release();
  });

  it('own everything when alone, from the first moment to the last', async () => {
    const processes = new LiveProcesses(storage);
    expect(shareOf(processes)).toBe(0);
    await processes.start();
    expect(shareOf(processes)).toBe(KEYS.length);
    expect(processes.isAlive(BOOT_ID)).toBe(true);
    await processes.leave();
    expect(shareOf(processes)).toBe(0);
    await processes.stop();
    expect(await storage.db.selectFrom('processes').selectAll().execute()).toEqual([]);
  });
});

describe('live processes', () => {
  let place: Place;
  let storage: Storage;
  const postgres = ENGINES.find(({ engine }) => engine === 'postgres') as (typeof ENGINES)[number];

  beforeEach(async () => {
    place = await postgres.place();
    storage = await place.open();
  });
  afterEach(async () => {
    await storage.close();
    await place.release();
  });

  const rows = () => storage.db.selectFrom('processes').selectAll().orderBy('boot_id').execute();

  it('share with one that joins, which must wait, and take over when it leaves', async () => {
    const processes = new LiveProcesses(storage);
    await processes.start();
    const other = new ProcessTable(storage, newId());
    expect(await other.join()).toBe(false);
    const [mine, theirs] = await rows();
    expect(theirs).toMatchObject({ active_from: (theirs?.seen_at ?? 0) + GRACE_MS });
    expect(mine).toMatchObject({ boot_id: BOOT_ID });
    expect(shareOf(processes)).toBe(KEYS.length);
    await eventually('a share is given up', async () => {
      await other.beat();
      return shareOf(processes) < KEYS.length;
    });
    expect(shareOf(processes)).toBeGreaterThan(0);
    const epoch = processes.epoch.name;
    await other.leave();
    await eventually('it is taken back', () => shareOf(processes) === KEYS.length);
    expect(processes.epoch.name).not.toBe(epoch);
    await processes.stop();
  });

  it('tell of two that come at once which was first', async () => {
    const tables = Array.from({ length: 5 }, () => new ProcessTable(storage, newId()));
    const alone = await Promise.all(tables.map((table) => table.join()));
    expect(alone.filter(Boolean)).toHaveLength(1);
  });

  it('take over from one that is not heard of any more, and then call it dead', async () => {
    const dead = newId();
    await new ProcessTable(storage, dead).join();
    const processes = new LiveProcesses(storage);
    await processes.start();
    expect(shareOf(processes)).toBe(0);
    await eventually('everything is taken over', () => shareOf(processes) === KEYS.length);
    expect(processes.isAlive(dead)).toBe(true);
    await storage.db
      .updateTable('processes')
      .set((eb) => ({ seen_at: eb('seen_at', '-', DEAD_MS) }))
      .where('boot_id', '=', dead)
      .execute();
    await eventually('it is called dead', () => !processes.isAlive(dead));
    await processes.stop();
  });

  it('forget the rows of those that were killed', async () => {
    const nowMs = Date.now();
    const row = (boot_id: string, ageMs: number) => ({ boot_id, started_at: 1, seen_at: nowMs - ageMs, active_from: 1 });
    const [late, gone] = [newId(), newId()];
    await storage.insertMany(storage.db, 'processes', [row(late, GIVEN_UP_MS), row(gone, FORGOTTEN_MS + 5_000)]);
    await new ProcessTable(storage, BOOT_ID).join();
    expect((await rows()).map(({ boot_id }) => boot_id)).toEqual([BOOT_ID, late].sort());
  });

  it('own nothing once the database has been away for a while, and join anew when it is back', async () => {
    const database = await acquireDatabase();
    const { proxy, url } = await TcpProxy.inFrontOf(database.url);
    const behind = await PostgresStorage.open(postgresOptions(url));
    const processes = new LiveProcesses(behind);
    try {
      await processes.start();
      expect(shareOf(processes)).toBe(KEYS.length);
      proxy.cut();
      await eventually('it owns nothing', () => shareOf(processes) === 0);
      proxy.restore();
      await eventually('it owns everything again', () => shareOf(processes) === KEYS.length);
    } finally {
      await processes.stop();
      await behind.close();
      await proxy.stop();
      await database.release();
    }
  });
});
