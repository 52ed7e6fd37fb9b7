import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

const ATTEMPTS = {
  sqlite: `create table attempts (delivery_id text not null, number integer not null, at integer not null, status text not null,
    code text not null, duration_ms integer not null, address text, response_head blob, primary key (delivery_id, number)) strict`,
  postgres: `create table attempts (delivery_id uuid not null, number integer not null, at bigint not null, status text not null,
    code text not null, duration_ms integer not null, address text, response_head bytea, primary key (delivery_id, number))
    partition by range (delivery_id)`,
} as const satisfies Record<Engine, string>;

const COPY = `insert into attempts (delivery_id, number, at, status, code, duration_ms, address, response_head)
  select delivery_id, number, at, status, code, duration_ms, address, response_head from attempts_before`;

/**
 * Less to write for each event. An attempt is known by its delivery and its number, and lies in the partition of its delivery's id, so
 * that both leave together. Each predicate of an index leaves out what need not be found by it: a leased delivery enters none but
 * that of leases, and the delivery that bears its event's id is found by its primary key.
 */
export async function leanHotTables(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  if (engine === 'postgres') await replaceAttemptsByWeek(trx);
  else await replaceAttempts(trx);
  for (const statement of [
    'drop index events_by_type',
    'drop index deliveries_open',
    'create index deliveries_open on deliveries (created_at) where leased_by is null and next_attempt_at is not null',
    'create index deliveries_by_event on deliveries (event_id) where id <> event_id',
  ]) {
    await sql.raw(statement).execute(trx);
  }
}

async function replaceAttempts(trx: Transaction<Schema>): Promise<void> {
  for (const statement of ['alter table attempts rename to attempts_before', ATTEMPTS.sqlite, COPY, 'drop table attempts_before']) {
    await sql.raw(statement).execute(trx);
  }
}

interface Week {
  name: string;
  bounds: string;
}

/** The new table has the weeks of the deliveries. */
async function replaceAttemptsByWeek(trx: Transaction<Schema>): Promise<void> {
  const run = (statement: string): Promise<unknown> => sql.raw(statement).execute(trx);
  const { rows: weeks } = await sql<Week>`
    select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bounds
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'deliveries'::regclass order by c.relname`.execute(trx);
  const { rows: old } = await sql<{ name: string }>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'attempts'::regclass`.execute(trx);
  for (const { name } of old) await run(`alter table "${name}" rename to "${name.replace(/^attempts/, 'attempts_before')}"`);
  await run('alter table attempts rename to attempts_before');
  await run(ATTEMPTS.postgres);
  for (const { name, bounds } of weeks) {
    await run(`create table "${name.replace(/^deliveries/, 'attempts')}" partition of attempts ${bounds}`);
  }
  await run(COPY);
  await run('drop table attempts_before');
}
