import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/** What acts for an identity on its platform, sealed, and since when it is so. */
export async function identityCredentials(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  await sql`alter table account_identities add column credentials text`.execute(trx);
  await sql.raw(`alter table account_identities add column credentials_at ${engine === 'postgres' ? 'bigint' : 'integer'}`).execute(trx);
}
