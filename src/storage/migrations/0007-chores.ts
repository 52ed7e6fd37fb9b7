import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/** Work that one process at a time does: who has the turn, when the next one is, and what the last one left for it. */
export async function chores(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const [id, big, options] = engine === 'postgres' ? ['uuid', 'bigint', ''] : ['text', 'integer', ' strict'];
  await sql
    .raw(
      `create table chores (name text not null primary key, held_by ${id}, held_until ${big}, next_at ${big} not null, state text)${options}`,
    )
    .execute(trx);
}
