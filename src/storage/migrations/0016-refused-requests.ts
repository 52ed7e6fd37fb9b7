import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/** What a refused request needs to be diagnosed and taken in after all; those from before have not got it. */
export async function refusedRequests(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const [big, small] = engine === 'postgres' ? ['bigint', 'smallint'] : ['integer', 'integer'];
  for (const column of [
    "door text not null default ''",
    'account_id text',
    'original text',
    `body_whole ${small} not null default 0`,
    `accepted_at ${big}`,
    `claimed_at ${big}`,
  ]) {
    await sql.raw(`alter table requests add column ${column}`).execute(trx);
  }
  await sql`create index requests_by_source on requests (source, id)`.execute(trx);
}
