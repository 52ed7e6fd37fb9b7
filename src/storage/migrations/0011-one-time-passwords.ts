import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/** Which requests came in by which step's code, and from where wrong codes came: what all processes must know of one-time passwords. */
export async function oneTimePasswords(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const [id, big, options] = engine === 'postgres' ? ['uuid', 'bigint', ''] : ['text', 'integer', ' strict, without rowid'];
  for (const statement of [
    `create table otp_uses (door text not null, step ${big} not null, body_hash text not null, primary key (door, step, body_hash))${options}`,
    `create table otp_failures (address text not null, at ${big} not null, id ${id} not null, primary key (address, at, id))${options}`,
    'create index otp_failures_by_time on otp_failures (at)',
  ]) {
    await sql.raw(statement).execute(trx);
  }
}
