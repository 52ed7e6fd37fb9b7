import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';
import { MIGRATIONS } from './migrations';

/** Any number that nothing else in the database locks. */
const LOCK_ID = 4_807_526;

/**
 * Runs what has not run yet, all in the caller's transaction: after a crash nothing is half done. One runner at a time: the
 * second finds nothing left to do.
 */
export async function migrate(trx: Transaction<Schema>, engine: Engine): Promise<string[]> {
  if (engine === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_ID)})`.execute(trx);
  await sql`create table if not exists migrations (name text primary key, applied_at bigint not null)`.execute(trx);
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(trx);
  const applied = new Set(rows.map((row) => row.name));
  const missing = MIGRATIONS.filter((migration) => !applied.has(migration.name));
  for (const migration of missing) {
    await migration.up(trx, engine);
    await sql`insert into migrations (name, applied_at) values (${migration.name}, ${Date.now()})`.execute(trx);
  }
  return missing.map((migration) => migration.name);
}
