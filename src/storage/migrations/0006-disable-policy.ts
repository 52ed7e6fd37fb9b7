import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';

/** An endpoint may say when it is to be given up; null is the default policy. */
export async function disablePolicy(trx: Transaction<Schema>): Promise<void> {
  await sql`alter table endpoints add column disable_policy text`.execute(trx);
  await sql`alter table endpoints add column failure_count integer not null default 0`.execute(trx);
}
