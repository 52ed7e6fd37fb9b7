import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { firstIdAt, newId } from '../../../src/core/ids';
import { ofEvents } from '../../../src/dispatcher/of-events';
import { firstTables } from '../../../src/storage/migrations/0001-first-tables';
import { migrate } from '../../../src/storage/migrations/migrate';
import { ensurePartitions, partitionAt } from '../../../src/storage/postgres/partitions';
import { postgresDialect } from '../../../src/storage/postgres/postgres-dialect';
import { createPool } from '../../../src/storage/postgres/postgres-pool';
import type { Schema } from '../../../src/storage/schema';
import { sqliteDialect } from '../../../src/storage/sqlite/sqlite-dialect';
import { SqliteFile } from '../../../src/storage/sqlite/sqlite-file';
import type { Engine } from '../../../src/storage/storage';
import { acquireDatabase } from '../../support/services/services';
import { postgresOptions } from './engines';

interface Empty {
  db: Kysely<Schema>;
  release: () => Promise<void>;
}

async function emptySqlite(): Promise<Empty> {
  const folder = await mkdtemp(join(tmpdir(), 'hookline-migrations-'));
  const file = new SqliteFile(join(folder, 'hookline.db'));
  const release = async (): Promise<void> => {
    file.close();
    await rm(folder, { recursive: true });
  };
  return { db: new Kysely({ dialect: sqliteDialect(file) }), release };
}

async function emptyPostgres(): Promise<Empty> {
  const database = await acquireDatabase();
  const pool = createPool(postgresOptions(database.url));
  const release = async (): Promise<void> => {
    await pool.end();
    await database.release();
  };
  return { db: new Kysely({ dialect: postgresDialect({ pool, queryTimeoutMs: 10_000 }) }), release };
}

const WEEK_MS = 7 * 86_400_000;
const ENGINES: { engine: Engine; empty: () => Promise<Empty> }[] = [
  { engine: 'sqlite', empty: emptySqlite },
  { engine: 'postgres', empty: emptyPostgres },
];

/** A database as the first version left it, with rows in it. */
async function firstVersion(db: Kysely<Schema>, engine: Engine, deliveries: { id: string; event_id: string }[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await firstTables(trx, engine);
    await sql`create table migrations (name text primary key, applied_at bigint not null)`.execute(trx);
    await sql`insert into migrations (name, applied_at) values ('0001-first-tables', 1)`.execute(trx);
  });
  if (engine === 'postgres') {
    // The first version knew the attempts by an id of their own.
    for (const table of ['events', 'deliveries', 'attempts', 'requests'] as const) {
      const { name, from, to } = partitionAt(table, Date.now() - WEEK_MS);
      await sql.raw(`create table ${name} partition of ${table} for values from ('${from}') to ('${to}')`).execute(db);
    }
  }
  for (const delivery of deliveries) {
    await sql`insert into deliveries (id, event_id, endpoint_id, account_id, source, status, attempt_count, fan_out, created_at)
      values (${delivery.id}, ${delivery.event_id}, ${newId()}, 'default', 'facebook', 'dead', 2, 1, 1)`.execute(db);
    for (const number of [1, 2]) {
      await sql`insert into attempts (id, delivery_id, event_id, number, at, status, code, duration_ms, address, response_head)
        values (${newId()}, ${delivery.id}, ${delivery.event_id}, ${number}, 7, 'failed', '500', 3, null, ${Buffer.from([0, 255])})`.execute(
        db,
      );
    }
  }
}

describe.each(ENGINES)('migrations on $engine', ({ engine, empty }) => {
  it('bring a database of the first version up to date, with its attempts, and once only', async () => {
    const { db, release } = await empty();
    const lastWeek = `${firstIdAt(Date.now() - WEEK_MS).slice(0, 24)}${newId().slice(24)}`;
    const deliveries = [lastWeek, newId()].map((id) => ({ id, event_id: newId() }));
    await firstVersion(db, engine, deliveries);
    const run = () =>
      db.transaction().execute(async (trx) => {
        const names = await migrate(trx, engine);
        if (engine === 'postgres') await ensurePartitions(trx, Date.now());
        return names;
      });
    expect((await run())[0]).toBe('0002-lean-hot-tables');
    expect(await run()).toEqual([]);

    const attempts = await db.selectFrom('attempts').selectAll().orderBy('delivery_id').orderBy('number').execute();
    const expected = deliveries.flatMap(({ id }) =>
      [1, 2].map((number) => ({ delivery_id: id, number, at: 7, status: 'failed', code: '500', duration_ms: 3, address: null })),
    );
    expect(attempts.map(({ response_head, ...row }) => ({ ...row, bytes: [...(response_head ?? [])] }))).toEqual(
      expected.map((row) => ({ ...row, bytes: [0, 255] })),
    );
    const found = await db
      .selectFrom('deliveries')
      .select('id')
      .where(ofEvents(engine, [deliveries[1]?.event_id ?? '']))
      .execute();
    expect(found).toEqual([{ id: deliveries[1]?.id }]);
    if (engine === 'postgres') {
      const { rows } = await sql<{ name: string }>`
        select tableoid::regclass::text as name from attempts where delivery_id = ${lastWeek} and number = 1`.execute(db);
      expect(rows).toEqual([{ name: partitionAt('attempts', Date.now() - WEEK_MS).name }]);
    }
    await release();
  });

  it('let the deliveries of events be found by indexes alone', async () => {
    const { db, release } = await empty();
    await db.transaction().execute((trx) => migrate(trx, engine));
    const query = db
      .selectFrom('deliveries')
      .selectAll()
      .where(ofEvents(engine, [newId(), newId()]));
    const compiled = query.compile();
    const plan =
      engine === 'postgres'
        ? await db.connection().execute(async (connection) => {
            await sql`set enable_seqscan = off`.execute(connection);
            return connection.executeQuery({ ...compiled, sql: `explain ${compiled.sql}` });
          })
        : await db.executeQuery({ ...compiled, sql: `explain query plan ${compiled.sql}` });
    const text = JSON.stringify(plan.rows);
    expect(text).not.toMatch(/Seq Scan|SCAN deliveries/);
    expect(text).toMatch(/event_id_idx|deliveries_by_event/);
    await release();
  });
});
