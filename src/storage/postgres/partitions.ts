import { type Transaction, sql } from 'kysely';
import { firstIdAt } from '../../core/ids';
import type { Schema } from '../schema';
import type { Queryable } from '../storage';

export const PARTITIONED = ['events', 'deliveries', 'attempts', 'requests'] as const satisfies (keyof Schema)[];

/** The column whose ranges make a table's partitions: attempts lie with their deliveries. */
export const partitionKeyOf = (table: string): 'id' | 'delivery_id' => (table === 'attempts' ? 'delivery_id' : 'id');

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970 began on a Thursday; weeks begin on Monday, UTC. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
const WEEKS_AHEAD = 2;
export const DROP_LOCK_TIMEOUT_MS = 200;

export interface Partition {
  name: string;
  /** The ids in it are from `from` to before `to`. */
  from: string;
  to: string;
}

/** The partition of a table in which ids of that moment lie. */
export function partitionAt(table: string, timeMs: number): Partition {
  const start = Math.floor((timeMs - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
  const day = new Date(start).toISOString().slice(0, 10).replaceAll('-', '');
  return { name: `${table}_w${day}`, from: firstIdAt(start), to: firstIdAt(start + WEEK_MS) };
}

const WEEK_NAME = /_w(\d{4})(\d\d)(\d\d)$/;

/** The weeks that have a partition of the table, the oldest first; without that of all others. */
export async function partitionsOf(db: Queryable, table: string): Promise<Partition[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = to_regclass(${table}) order by c.relname`.execute(db);
  return rows.flatMap(({ name }) => {
    const [, year, month, day] = WEEK_NAME.exec(name) ?? [];
    return day === undefined ? [] : [partitionAt(table, Date.UTC(Number(year), Number(month) - 1, Number(day)))];
  });
}

/**
 * Dropping has to have the whole table for itself for a moment. Who comes meanwhile waits for as long as the drop waits for those before
 * it, so that is cut short. @throws GatewayError `storage_unavailable` when it was.
 */
export async function dropPartition(trx: Transaction<Schema>, name: string): Promise<void> {
  await sql`set local lock_timeout = ${sql.lit(DROP_LOCK_TIMEOUT_MS)}`.execute(trx);
  await sql`drop table if exists ${sql.table(name)}`.execute(trx);
}

/**
 * Makes the partitions of this week and the next two where they are missing. A row that came before its partition lies in
 * `<table>_other` and is moved.
 */
export async function ensurePartitions(trx: Transaction<Schema>, nowMs: number): Promise<string[]> {
  const made: string[] = [];
  for (const table of PARTITIONED) {
    for (let week = 0; week <= WEEKS_AHEAD; week++) {
      const partition = partitionAt(table, nowMs + week * WEEK_MS);
      if (await exists(trx, partition.name)) continue;
      await make(trx, table, partition);
      made.push(partition.name);
    }
  }
  return made;
}

async function exists(trx: Transaction<Schema>, name: string): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`select to_regclass(${name}) is not null as found`.execute(trx);
  return rows[0]?.found === true;
}

/** Made aside and attached, which does not stop those who write the table's other partitions. */
async function make(trx: Transaction<Schema>, table: string, { name, from, to }: Partition): Promise<void> {
  const key = partitionKeyOf(table);
  const statements = [
    `create table ${name} (like ${table} including defaults including constraints)`,
    `lock table ${table}_other in access exclusive mode`,
    `with moved as (delete from ${table}_other where ${key} >= '${from}' and ${key} < '${to}' returning *) insert into ${name} select * from moved`,
    `alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(trx);
}
