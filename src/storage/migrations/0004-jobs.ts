import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

const JOBS = {
  sqlite: `create table jobs (id text not null primary key, kind text not null, state text not null, account_id text, endpoint_id text,
    filter text not null, rate_per_second integer not null, total integer not null, total_is_lower_bound integer not null,
    examined integer not null, changed integer not null, cursor text,
    created_at integer not null, updated_at integer not null, finished_at integer, error text) strict`,
  postgres: `create table jobs (id uuid not null primary key, kind text not null, state text not null, account_id text, endpoint_id uuid,
    filter text not null, rate_per_second integer not null, total bigint not null, total_is_lower_bound smallint not null,
    examined bigint not null, changed bigint not null, cursor text,
    created_at bigint not null, updated_at bigint not null, finished_at bigint, error text)`,
} as const satisfies Record<Engine, string>;

/**
 * Jobs over many deliveries. Dead deliveries stand in indexes of their own, by all that one asks for them by, which cost nothing while
 * a delivery is not dead: neither their lists nor the jobs that redrive them look at any other.
 */
export async function jobs(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  for (const statement of [
    JOBS[engine],
    'create index jobs_open on jobs (id) where finished_at is null',
    'alter table deliveries add column attempts_before integer not null default 0',
    'create index deliveries_dead on deliveries (dead_class, id) where dead_class is not null',
    'create index deliveries_dead_by_account on deliveries (account_id, dead_class, id) where dead_class is not null',
    'create index deliveries_dead_by_endpoint on deliveries (endpoint_id, dead_class, id) where dead_class is not null',
  ]) {
    await sql.raw(statement).execute(trx);
  }
}
