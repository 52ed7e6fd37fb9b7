import { sql } from 'kysely';
import { GatewayError } from '../../../src/core/errors';
import { newId } from '../../../src/core/ids';
import { MIGRATIONS } from '../../../src/storage/migrations/migrations';
import { RegistryVersion, bumpRegistryVersion } from '../../../src/storage/registry-version';
import type { Schema } from '../../../src/storage/schema';
import type { Storage } from '../../../src/storage/storage';
import { ENGINES, type Place } from './engines';
import { ALL_BYTES, AWKWARD_TEXT, MAX_INTEGER, sampleDelivery, sampleEvent, sampleKey, sampleRows } from './sample-rows';

/** SQLite gives bytes as Uint8Array, PostgreSQL as Buffer; rows come without a prototype. */
const plain = (row: object): object =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value instanceof Uint8Array ? Uint8Array.from(value) : value]));

describe.each(ENGINES)('storage on $engine', (engine) => {
  const newPlace = () => engine.place();
  let place: Place;
  let storage: Storage;

  beforeAll(async () => {
    place = await newPlace();
    storage = await place.open();
  });

  afterAll(async () => {
    await storage?.close();
    await place?.release();
  });

  const countOf = async (table: keyof Schema): Promise<number> => {
    const { count } = await storage.db
      .selectFrom(table)
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return count;
  };

  it('starts with the account `default` and a registry version', async () => {
    expect(await storage.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'default' }]);
    expect(await storage.db.selectFrom('registry_version').selectAll().execute()).toEqual([{ id: 1, version: 1 }]);
  });

  it('migrates an up-to-date database without a change', async () => {
    const second = await place.open();
    expect(await second.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'default' }]);
    await second.close();
  });

  it('lets several runners migrate one empty database at once', async () => {
    const empty = await newPlace();
    const runners = await Promise.all([empty.open(), empty.open(), empty.open()]);
    for (const runner of runners) expect(await runner.probe()).toBe(true);
    const { rows } = await sql<{ name: string }>`select name from migrations`.execute(runners[0].db);
    expect(rows.map((row) => row.name)).toEqual(MIGRATIONS.map((migration) => migration.name));
    for (const runner of runners) await runner.close();
    await empty.release();
  });

  it.each(Object.keys(sampleRows()) as (keyof Schema)[])(
    'gives back a row of %s as it was written, by Kysely and by insertMany',
    async (table) => {
      for (const insert of ['kysely', 'insertMany']) {
        const row = sampleRows()[table];
        await storage.db.deleteFrom(table).execute();
        if (insert === 'kysely') await storage.db.insertInto(table).values(row).execute();
        else await storage.insertMany(storage.db, table, [row]);
        const [found] = await storage.db.selectFrom(table).selectAll().execute();
        const { id, ...withoutId } = found as { id?: unknown };
        expect(plain(['ledger_deltas', 'statements'].includes(table) ? withoutId : (found as object))).toEqual(row);
        if (table === 'ledger_deltas') expect(typeof id).toBe('number');
        await storage.db.deleteFrom(table).execute();
      }
      if (table === 'registry_version') await storage.db.insertInto(table).values({ id: 1, version: 1 }).execute();
    },
  );

  it('refuses text with a NUL character in every way of writing', async () => {
    const row = { key: 'nul', value: 'a\0b' };
    await expect(storage.db.insertInto('meta').values(row).execute()).rejects.toThrow();
    await expect(storage.insertMany(storage.db, 'meta', [row])).rejects.toThrow();
    expect(await storage.db.selectFrom('meta').selectAll().where('key', '=', 'nul').execute()).toEqual([]);
  });

  it('reads counts and sums of big integers as numbers', async () => {
    const { ledger_deltas: delta } = sampleRows();
    await storage.insertMany(storage.db, 'ledger_deltas', [delta]);
    const sums = await storage.db
      .selectFrom('ledger_deltas')
      .select((select) => [select.fn.sum<number>('accepted').as('accepted'), select.fn.countAll<number>().as('rows')])
      .executeTakeFirst();
    expect(sums).toEqual({ accepted: MAX_INTEGER, rows: 1 });
  });

  it('counts the rows that an update changed', async () => {
    const rows = [sampleDelivery(), sampleDelivery()];
    await storage.insertMany(storage.db, 'deliveries', rows);
    const update = storage.db.updateTable('deliveries').set({ status: 'dead' });
    const ids = rows.map((row) => row.id);
    expect((await update.where('id', 'in', ids).executeTakeFirst()).numUpdatedRows).toBe(2n);
    expect((await update.where('id', '=', newId()).executeTakeFirst()).numUpdatedRows).toBe(0n);
    const returned = await storage.db.deleteFrom('deliveries').where('id', 'in', ids).returning('status').execute();
    expect(returned).toEqual([{ status: 'dead' }, { status: 'dead' }]);
  });

  it.each([0, 1, 1000])('insertMany writes %i rows, each with its own bytes', async (count) => {
    await storage.db.deleteFrom('events').execute();
    const rows = Array.from({ length: count }, (_, index) => ({
      ...sampleEvent(),
      body: ALL_BYTES.subarray(0, index % 256),
      context: index % 2 ? ALL_BYTES : null,
      level: index % 3 ? `${index}${AWKWARD_TEXT}` : null,
    }));
    await storage.insertMany(storage.db, 'events', rows);
    const found = await storage.db.selectFrom('events').selectAll().orderBy('id').execute();
    expect(found.map(plain)).toEqual(rows.map(plain));
  });

  it('insertMany outside of a transaction writes all rows or none', async () => {
    const before = await countOf('event_keys');
    await expect(storage.insertMany(storage.db, 'event_keys', [sampleKey('twice'), sampleKey('twice')])).rejects.toThrow();
    expect(await countOf('event_keys')).toBe(before);
  });

  it('insertNewKeys tells new keys from known ones, also within one call', async () => {
    expect(await storage.insertNewKeys(storage.db, [])).toEqual(new Set());
    const first = ['b', 'a', 'b', AWKWARD_TEXT].map(sampleKey);
    expect(await storage.insertNewKeys(storage.db, first)).toEqual(new Set(['a', 'b', AWKWARD_TEXT]));
    expect(await storage.insertNewKeys(storage.db, ['c', 'a', AWKWARD_TEXT].map(sampleKey))).toEqual(new Set(['c']));
    const kept = await storage.db.selectFrom('event_keys').select('event_id').where('key', '=', 'b').execute();
    expect(kept).toEqual([{ event_id: first[0]?.event_id }]);
  });

  it('gives every key to one of many concurrent transactions, in whatever order they name them', async () => {
    const keys = Array.from({ length: 200 }, (_, index) => `concurrent-${index}`);
    const inAnyOrder = (round: number) => (round % 2 ? keys : keys.toReversed());
    const winners = await Promise.all(
      Array.from({ length: 8 }, (_, round) =>
        // Not by `transaction`, which would hide a deadlock by trying again.
        storage.db.transaction().execute((trx) => storage.insertNewKeys(trx, inAnyOrder(round).map(sampleKey))),
      ),
    );
    expect(winners.flatMap((won) => [...won]).sort()).toEqual([...keys].sort());
  });

  it('rolls back what a failed transaction wrote', async () => {
    const key = newId();
    const failing = storage.transaction(async (trx) => {
      await trx.insertInto('meta').values({ key, value: '1' }).execute();
      await storage.insertMany(trx, 'event_keys', [sampleKey(key)]);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await storage.db.selectFrom('meta').selectAll().where('key', '=', key).execute()).toEqual([]);
    expect(await storage.insertNewKeys(storage.db, [sampleKey(key)])).toEqual(new Set([key]));
  });

  it('commits nothing without saying so when a statement failed and nobody minded', async () => {
    const key = newId();
    const swallowing = storage.transaction(async (trx) => {
      await trx.insertInto('meta').values({ key, value: '1' }).execute();
      await trx
        .insertInto('meta')
        .values({ key, value: '2' })
        .execute()
        .catch(() => undefined);
    });
    // SQLite undoes the statement alone and may commit the rest; PostgreSQL undoes everything and must say so.
    const committed = await swallowing.then(
      () => true,
      () => false,
    );
    const rows = await storage.db.selectFrom('meta').selectAll().where('key', '=', key).execute();
    expect(rows).toEqual(committed ? [{ key, value: '1' }] : []);
  });

  it('keeps the statements of concurrent transactions apart', async () => {
    await storage.db.insertInto('meta').values({ key: 'counter', value: '0' }).execute();
    const increment = () =>
      storage.transaction(async (trx) => {
        const locked = trx.selectFrom('meta').selectAll().where('key', '=', 'counter');
        const row = await (storage.engine === 'postgres' ? locked.forUpdate() : locked).executeTakeFirstOrThrow();
        await new Promise((resolve) => setImmediate(resolve));
        await trx
          .updateTable('meta')
          .set({ value: String(Number(row.value) + 1) })
          .where('key', '=', 'counter')
          .execute();
      });
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await storage.db.selectFrom('meta').select('value').where('key', '=', 'counter').execute()).toEqual([{ value: '20' }]);
  });

  it('answers reads beside an open transaction with what was committed before', async () => {
    const key = newId();
    await storage.transaction(async (trx) => {
      await trx.insertInto('meta').values({ key, value: '1' }).execute();
      expect(await storage.db.selectFrom('meta').selectAll().where('key', '=', key).execute()).toEqual([]);
      expect(await trx.selectFrom('meta').selectAll().where('key', '=', key).execute()).toHaveLength(1);
    });
    expect(await storage.db.selectFrom('meta').selectAll().where('key', '=', key).execute()).toHaveLength(1);
  });

  it('refuses a row of the wrong type', async () => {
    const wrong = { ...sampleRows().filters, created_at: 'now' as unknown as number };
    await expect(storage.db.insertInto('filters').values(wrong).execute()).rejects.toThrow();
  });

  it('probes by a write', async () => {
    expect(await storage.probe()).toBe(true);
    expect(await storage.db.selectFrom('meta').select('key').where('key', '=', 'probe').execute()).toHaveLength(1);
  });

  it('says storage_unavailable, and no to the probe, once closed', async () => {
    const closed = await place.open();
    await closed.close();
    await closed.close();
    const unavailable = expect.objectContaining({ code: 'storage_unavailable' });
    await expect(closed.db.selectFrom('meta').selectAll().execute()).rejects.toEqual(unavailable);
    await expect(closed.transaction((trx) => trx.deleteFrom('meta').execute())).rejects.toBeInstanceOf(GatewayError);
    await expect(closed.insertMany(closed.db, 'meta', [{ key: 'k', value: 'v' }])).rejects.toEqual(unavailable);
    expect(await closed.probe()).toBe(false);
  });

  describe('registry version', () => {
    it('calls listeners at the first look and after each bump, also of another process', async () => {
      const other = await place.open();
      const versions = new RegistryVersion(storage);
      let calls = 0;
      versions.onChange(() => Promise.resolve(void calls++));
      await versions.changed();
      await versions.changed();
      expect(calls).toBe(1);
      await other.transaction(bumpRegistryVersion);
      await versions.changed();
      expect(calls).toBe(2);
      await other.close();
    });

    it('calls a listener again that failed', async () => {
      const versions = new RegistryVersion(storage);
      let calls = 0;
      versions.onChange(() => (++calls === 1 ? Promise.reject(new GatewayError('storage_unavailable')) : Promise.resolve()));
      await versions.changed();
      await versions.changed();
      await versions.changed();
      expect(calls).toBe(2);
    });

    it('shows a change that was committed while another look was under way', async () => {
      const versions = new RegistryVersion(storage);
      const seen: number[] = [];
      versions.onChange(async () => {
        const { version } = await storage.db.selectFrom('registry_version').select('version').executeTakeFirstOrThrow();
        seen.push(version);
      });
      const first = versions.changed();
      await storage.transaction(bumpRegistryVersion);
      await Promise.all([first, versions.changed()]);
      const { version } = await storage.db.selectFrom('registry_version').select('version').executeTakeFirstOrThrow();
      expect(seen.at(-1)).toBe(version);
    });
  });
});
