import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/** The cookies by which the affinity proxy brings an actor back to the instance that knows it. */
export async function affinity(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const [big, options] = engine === 'postgres' ? ['bigint', ''] : ['integer', ' strict, without rowid'];
  await sql
    .raw(`create table affinity_sessions (key text not null primary key, cookie text not null, expires_at ${big} not null)${options}`)
    .execute(trx);
  await sql`create index affinity_sessions_expires_at on affinity_sessions (expires_at)`.execute(trx);
}
