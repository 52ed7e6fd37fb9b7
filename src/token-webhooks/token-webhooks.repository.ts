import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import { hashOf } from '../auth/api-key';
import type { Tenant } from '../auth/bearer/tenant';
import { webhookTokensContext } from '../secrets/sealed-columns';
import { SecretBox } from '../secrets/secret-box';
import type { Schema, TokenWebhooksTable } from '../storage/schema';
import { Storage } from '../storage/storage';
import type { TokenWebhook } from './token-webhook';
import type { WebhookRequest } from './webhook-request';

/** The rows of token webhooks; each question names the account that asks. */
@Injectable()
export class TokenWebhooksRepository {
  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
  ) {}

  /** False when the account has one of that datasource and event already. */
  async insert(trx: Transaction<Schema>, webhook: TokenWebhook): Promise<boolean> {
    const row = await trx
      .insertInto('token_webhooks')
      .values(this.rowOf(webhook))
      .onConflict((conflict) => conflict.columns(['account_id', 'datasource', 'event']).doNothing())
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Changes the one that is there; undefined when it has gone meanwhile. */
  async update(trx: Transaction<Schema>, tenant: Tenant, request: WebhookRequest): Promise<TokenWebhook | undefined> {
    const { datasource, event, server, tsField } = request;
    const row = await trx
      .updateTable('token_webhooks')
      .set({ server, tenant_id: tenant.idJson, ...(tsField !== undefined && { ts_field: tsField }) })
      .where('account_id', '=', tenant.accountId)
      .where('datasource', '=', datasource)
      .where('event', '=', event)
      .returningAll()
      .executeTakeFirst();
    return row && this.webhookOf(row);
  }

  /** Oldest first. */
  async list(accountId: string): Promise<TokenWebhook[]> {
    const rows = await this.storage.db
      .selectFrom('token_webhooks')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map((row) => this.webhookOf(row));
  }

  async count(trx: Transaction<Schema>, accountId: string): Promise<number> {
    const { webhooks } = await trx
      .selectFrom('token_webhooks')
      .select((row) => row.fn.countAll<number | string>().as('webhooks'))
      .where('account_id', '=', accountId)
      .executeTakeFirstOrThrow();
    return Number(webhooks);
  }

  async find(accountId: string, token: string): Promise<TokenWebhook | undefined> {
    const row = await this.storage.db
      .selectFrom('token_webhooks')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('token_hash', '=', hexHash(token))
      .executeTakeFirst();
    return row && this.webhookOf(row);
  }

  /** False when the account has none of that token. */
  async remove(trx: Transaction<Schema>, accountId: string, token: string): Promise<boolean> {
    const row = await trx
      .deleteFrom('token_webhooks')
      .where('account_id', '=', accountId)
      .where('token_hash', '=', hexHash(token))
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  private rowOf(webhook: TokenWebhook): TokenWebhooksTable {
    const { id, tenant, datasource, event, tsField, server, apiToken, token, createdAt } = webhook;
    return {
      id,
      account_id: tenant.accountId,
      tenant_id: tenant.idJson,
      datasource,
      event,
      ts_field: tsField,
      server,
      token_hash: hexHash(token),
      api_token_hash: hexHash(apiToken),
      tokens: this.box.seal(JSON.stringify({ apiToken, token }), webhookTokensContext(id)),
      created_at: createdAt,
    };
  }

  /** @throws GatewayError `secret_unreadable`. */
  private webhookOf(row: Selectable<TokenWebhooksTable>): TokenWebhook {
    const tokens = JSON.parse(this.box.open(row.tokens, webhookTokensContext(row.id))) as Pick<TokenWebhook, 'apiToken' | 'token'>;
    const { id, datasource, event, server } = row;
    const tenant = { accountId: row.account_id, idJson: row.tenant_id };
    return { id, tenant, datasource, event, tsField: row.ts_field, server, ...tokens, createdAt: row.created_at };
  }
}

const hexHash = (text: string): string => hashOf(text).toString('hex');
