import { sql } from 'kysely';
import { Client } from 'pg';
import { firstIdAt, newId, timeOfId } from '../../../src/core/ids';
import { COLUMN_TYPES } from '../../../src/storage/postgres/column-types';
import { PARTITIONED, ensurePartitions, partitionAt, partitionKeyOf } from '../../../src/storage/postgres/partitions';
import { PostgresStorage } from '../../../src/storage/postgres/postgres-storage';
import { acquireDatabase, startPrivatePostgres } from '../../support/services/services';
import type { Database, PostgresServer } from '../../support/services/postgres';
import { postgresOptions } from './engines';
import { sampleEvent, sampleKey, sampleRows } from './sample-rows';

const WEEK_MS = 7 * 86_400_000;
const unavailable = expect.objectContaining({ code: 'storage_unavailable' }) as Error;

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It did not come to that in 20 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('tables of PostgreSQL', () => {
  let database: Database;
  let storage: PostgresStorage;

  beforeAll(async () => {
    database = await acquireDatabase();
    storage = await PostgresStorage.open(postgresOptions(database.url));
  });

  afterAll(async () => {
    await storage?.close();
    await database?.release();
  });

  const tableOf = async (id: string): Promise<string | undefined> => {
    const { rows } = await sql<{ name: string }>`select tableoid::regclass::text as name from events where id = ${id}`.execute(storage.db);
    return rows[0]?.name;
  };

  it('have the columns and types that insertMany takes them to have', async () => {
    const { rows } = await sql<{ table_name: string; column_name: string; udt_name: string }>`
      select table_name, column_name, udt_name from information_schema.columns
      where table_schema = current_schema() and is_identity = 'NO'`.execute(storage.db);
    const found = Object.fromEntries(
      Object.keys(COLUMN_TYPES).map((table) => [
        table,
        Object.fromEntries(rows.filter((row) => row.table_name === table).map((row) => [row.column_name, row.udt_name])),
      ]),
    );
    expect(found).toEqual(COLUMN_TYPES);
  });

  it.each(PARTITIONED)('keep %s by the week: rows of this week and the next two lie in their partitions', async (table) => {
    for (const weeks of [0, 1, 2]) {
      const timeMs = Date.now() + weeks * WEEK_MS;
      const key = partitionKeyOf(table);
      const id = `${firstIdAt(timeMs).slice(0, 24)}${newId().slice(24)}`;
      const row = { ...sampleRows()[table], [key]: id };
      await storage.insertMany(storage.db, table, [row as never]);
      const { rows } = await sql<{ name: string }>`
        select tableoid::regclass::text as name from ${sql.table(table)} where ${sql.ref(key)} = ${id}`.execute(storage.db);
      expect(rows).toEqual([{ name: partitionAt(table, timeMs).name }]);
    }
  });

  it('take a row of a week without a partition, and move it when that week gets one', async () => {
    const timeMs = Date.now() + 10 * WEEK_MS;
    const event = { ...sampleEvent(), id: firstIdAt(timeMs) };
    await storage.insertMany(storage.db, 'events', [event]);
    expect(await tableOf(event.id)).toBe('events_other');
    const made = await storage.transaction((trx) => ensurePartitions(trx, timeMs));
    expect(made).toContain(partitionAt('events', timeMs).name);
    expect(await tableOf(event.id)).toBe(partitionAt('events', timeMs).name);
    expect(await storage.transaction((trx) => ensurePartitions(trx, timeMs))).toEqual([]);
  });

  it('find a partition by the first and the last id of its week', () => {
    const { name, from, to } = partitionAt('events', Date.UTC(2026, 10, 25));
    expect(name).toBe('events_w20261123');
    expect([timeOfId(from), timeOfId(to)]).toEqual([Date.UTC(2026, 10, 23), Date.UTC(2026, 10, 30)]);
  });

  it('say so when a transaction is committed after one of its statements failed', async () => {
    const key = newId();
    const swallowing = storage.transaction(async (trx) => {
      await trx.insertInto('meta').values({ key, value: '1' }).execute();
      await sql`select 1 / 0`.execute(trx).catch(() => undefined);
    });
    await expect(swallowing).rejects.toMatchObject({ code: 'internal_error' });
  });

  it('are used again after the two of a deadlock were tried again', async () => {
    await storage.insertMany(
      storage.db,
      'meta',
      ['left', 'right'].map((key) => ({ key, value: '0' })),
    );
    let arrived = 0;
    let open: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (open = resolve));
    const meet = (): Promise<void> => {
      if (++arrived >= 2) open();
      return both;
    };
    const add = (first: string, second: string) =>
      storage.transaction(async (trx) => {
        for (const key of [first, second]) {
          await trx
            .updateTable('meta')
            .set({ value: sql`(value::int + 1)::text` })
            .where('key', '=', key)
            .execute();
          if (key === first) await meet();
        }
      });
    await Promise.all([add('left', 'right'), add('right', 'left')]);
    const rows = await storage.db.selectFrom('meta').select('value').where('key', 'in', ['left', 'right']).execute();
    expect(rows).toEqual([{ value: '2' }, { value: '2' }]);
  });

  it('take keys from two transactions in opposite orders without a deadlock', async () => {
    const keys = ['k1', 'k2', 'k3', 'k4', 'k5'];
    // Not by `transaction`, which would hide a deadlock by trying again.
    const insert = (order: string[]) => storage.db.transaction().execute((trx) => storage.insertNewKeys(trx, order.map(sampleKey)));
    const waiting = async (): Promise<number> => {
      const { rows } = await sql<{ count: number }>`
        select count(*) as count from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(storage.db);
      return rows[0]?.count ?? 0;
    };
    // Both have got half of the keys, as far as their order lets them, when the one in the middle is free.
    const inserts = await storage.transaction(async (trx) => {
      await storage.insertNewKeys(trx, [sampleKey('k3')]);
      const both = Promise.all([insert(keys), insert(keys.toReversed())]);
      both.catch(() => undefined);
      await until(async () => (await waiting()) === 2);
      return { both };
    });
    expect((await inserts.both).flatMap((won) => [...won]).sort()).toEqual(['k1', 'k2', 'k4', 'k5']);
  });

  it('answer storage_unavailable while a lock is held for longer than a request may take', async () => {
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin; lock table meta in access exclusive mode');
    await expect(storage.db.selectFrom('meta').selectAll().execute()).rejects.toEqual(unavailable);
    await holder.end();
    expect(await storage.probe()).toBe(true);
  });
});

describe('outages of PostgreSQL', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPrivatePostgres();
  });

  afterAll(async () => {
    await server?.remove();
  });

  it('are storage_unavailable within 5 s, inside and outside of transactions, and end by themselves', async () => {
    const storage = await PostgresStorage.open(postgresOptions(server.url));
    const cut = storage.transaction(async (trx) => {
      await trx.insertInto('meta').values({ key: 'cut', value: '1' }).execute();
      await server.kill();
      await trx.insertInto('meta').values({ key: 'cut too', value: '1' }).execute();
    });
    await expect(cut).rejects.toEqual(unavailable);
    const began = Date.now();
    await expect(storage.db.selectFrom('meta').selectAll().execute()).rejects.toEqual(unavailable);
    await expect(storage.transaction((trx) => trx.deleteFrom('meta').execute())).rejects.toEqual(unavailable);
    await expect(storage.insertNewKeys(storage.db, [sampleRows().event_keys])).rejects.toEqual(unavailable);
    expect(await storage.probe()).toBe(false);
    expect(Date.now() - began).toBeLessThan(5_000);
    await server.start();
    await until(() => storage.probe());
    expect(await storage.db.selectFrom('meta').select('key').where('key', 'like', 'cut%').execute()).toEqual([]);
    await storage.close();
  });

  it('that hang instead of refusing are over within 5 s for the caller', async () => {
    const storage = await PostgresStorage.open({ ...postgresOptions(server.url), poolSize: 1 });
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(storage.db);
    const { pid = 0 } = rows[0] ?? {};
    process.kill(pid, 'SIGSTOP');
    try {
      const began = Date.now();
      const both = await Promise.allSettled([
        storage.db.selectFrom('meta').selectAll().execute(),
        storage.transaction((trx) => trx.selectFrom('meta').selectAll().execute()),
      ]);
      expect(Date.now() - began).toBeLessThan(5_000);
      for (const result of both) expect(result).toEqual({ status: 'rejected', reason: unavailable });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(() => storage.probe());
    await storage.close();
  });

  it('at the start do not stop it: queries say storage_unavailable until the tables are there', async () => {
    const url = new URL(server.url);
    url.pathname = '/later';
    await server.stop();
    const storage = await PostgresStorage.open(postgresOptions(url.href));
    await expect(storage.db.selectFrom('meta').selectAll().execute()).rejects.toEqual(unavailable);
    expect(await storage.probe()).toBe(false);
    await server.start();
    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('create database later');
    await admin.end();
    await until(() => storage.probe());
    expect(await storage.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'default' }]);
    await storage.close();
  });

  it('include a server that only reads, and one that has no connection left', async () => {
    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('create database readonly');
    const url = new URL(server.url);
    url.pathname = '/readonly';
    const storage = await PostgresStorage.open(postgresOptions(url.href));
    await admin.query('alter database readonly set default_transaction_read_only = on');
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'readonly'");
    await until(() =>
      storage.db
        .selectFrom('meta')
        .selectAll()
        .execute()
        .then(
          () => true,
          () => false,
        ),
    );
    await expect(storage.db.deleteFrom('meta').execute()).rejects.toEqual(unavailable);
    expect(await storage.probe()).toBe(false);
    await admin.query('alter database readonly set default_transaction_read_only = off');
    await until(() => storage.probe());

    await admin.query('alter database readonly connection limit 0');
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'readonly'");
    await admin.query('create role visitor login');
    await admin.query('grant all on database readonly to visitor');
    url.username = 'visitor';
    const crowded = await PostgresStorage.open(postgresOptions(url.href));
    await expect(crowded.db.selectFrom('meta').selectAll().execute()).rejects.toEqual(unavailable);
    await crowded.close();
    await storage.close();
    await admin.end();
  });
});
