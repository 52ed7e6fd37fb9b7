import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';

/** Secrets whose time is over are found without reading every endpoint. */
export async function oldSecrets(trx: Transaction<Schema>): Promise<void> {
  await sql`create index endpoints_by_old_secret on endpoints (previous_secret_until) where previous_secret_until is not null`.execute(trx);
}
