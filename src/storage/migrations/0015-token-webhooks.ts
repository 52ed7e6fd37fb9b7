import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';
import { watch } from './0008-registry-changes';

/** Webhooks by the URLs that tenants had made for them. */
export async function tokenWebhooks(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const [id, big, options] = engine === 'postgres' ? ['uuid', 'bigint', ''] : ['text', 'integer', ' strict, without rowid'];
  for (const statement of [
    `create table token_webhooks (id ${id} not null primary key, account_id text not null, tenant_id text not null,
      datasource text not null, event text not null, ts_field text, server text not null, token_hash text not null,
      api_token_hash text not null, tokens text not null, created_at ${big} not null)${options}`,
    'create unique index token_webhooks_by_topic on token_webhooks (account_id, datasource, event)',
    'create unique index token_webhooks_by_token on token_webhooks (token_hash)',
  ]) {
    await sql.raw(statement).execute(trx);
  }
  await watch(trx, engine, { table: 'token_webhooks', kind: 'token_webhook', keyColumns: ['id'], ignored: [] });
}
