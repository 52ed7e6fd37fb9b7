import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/** Who is at work: one row a process, renewed every second. On SQLite it stays empty, since there the only process is the owner. */
export async function processes(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const [id, big, options] = engine === 'postgres' ? ['uuid', 'bigint', ''] : ['text', 'integer', ' strict, without rowid'];
  await sql
    .raw(
      `create table processes (boot_id ${id} not null primary key, started_at ${big} not null, seen_at ${big} not null, active_from ${big})${options}`,
    )
    .execute(trx);
}
