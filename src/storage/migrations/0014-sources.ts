import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';
import { watch } from './0008-registry-changes';

/** Systems that send to a URL of their own, `/in/<token>`. */
export async function sources(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const [id, big, flag, options] = engine === 'postgres' ? ['uuid', 'bigint', 'smallint', ''] : ['text', 'integer', 'integer', ' strict'];
  await sql
    .raw(
      `create table sources (
        id ${id} not null primary key,
        account_id text not null,
        name text not null,
        application text not null,
        enabled ${flag} not null,
        verification text not null,
        secrets text not null,
        previous_secrets text,
        previous_secrets_until ${big},
        token text not null,
        token_hash text not null unique,
        previous_token_hash text unique,
        previous_token_until ${big},
        event_type_from text,
        response text,
        created_at ${big} not null,
        updated_at ${big} not null
      )${options}`,
    )
    .execute(trx);
  await sql`create index sources_by_account on sources (account_id, id)`.execute(trx);
  await watch(trx, engine, { table: 'sources', kind: 'source', keyColumns: ['id'], ignored: [] });
}
