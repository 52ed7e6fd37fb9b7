import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import type { Bearer } from '../auth/bearer/tenant.guard';
import { GatewayError } from '../core/errors';
import { newId } from '../core/ids';
import { AccountsRepository } from '../dispatcher/registry/accounts.repository';
import { RegistryChange } from '../dispatcher/registry/registry-change';
import type { Schema } from '../storage/schema';
import { fitsRoutingKey } from './reading/routing-key';
import { SourcesConfig } from './sources.config';
import { type TokenWebhook, newApiToken, newToken } from './token-webhook';
import { TokenWebhooksRepository } from './token-webhooks.repository';
import type { WebhookRequest } from './webhook-request';

/** As it stands in the URL: the router takes no longer part of a path. */
const MAX_API_TOKEN_LENGTH = 2_000;
/** Each process holds all webhooks in memory. */
const MAX_WEBHOOKS_OF_TENANT = 10_000;
/** Each time, another request deletes it between our looks. */
const MAX_TRIES = 5;

/** What tenants do with their webhooks. */
@Injectable()
export class TokenWebhooks {
  constructor(
    private readonly config: SourcesConfig,
    private readonly repository: TokenWebhooksRepository,
    private readonly accounts: AccountsRepository,
    private readonly registry: RegistryChange,
  ) {}

  /**
   * Makes the tenant's webhook of a datasource and event, or changes the one that is there; its URL stays then.
   * @throws GatewayError `malformed_request`, `conflict`.
   */
  async save(bearer: Bearer, request: WebhookRequest): Promise<TokenWebhook> {
    assertRoutable(bearer.tenant.accountId, request);
    const made = this.make(bearer, request);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const saved = await this.registry.commit((trx) => this.insertOrUpdate(trx, made, request));
      if (saved !== undefined) return saved;
    }
    throw new GatewayError('conflict', 'The webhook is being made and deleted at the same time');
  }

  list({ tenant }: Bearer): Promise<TokenWebhook[]> {
    return this.repository.list(tenant.accountId);
  }

  /** @throws GatewayError `not_found`, for another tenant's as well. */
  async find({ tenant }: Bearer, token: string): Promise<TokenWebhook> {
    const webhook = await this.repository.find(tenant.accountId, token);
    if (webhook === undefined) throw noSuchWebhook();
    return webhook;
  }

  /** @throws GatewayError `not_found`. */
  async remove({ tenant }: Bearer, token: string): Promise<void> {
    await this.registry.commit(async (trx) => {
      if (!(await this.repository.remove(trx, tenant.accountId, token))) throw noSuchWebhook();
    });
  }

  private async insertOrUpdate(trx: Transaction<Schema>, made: TokenWebhook, request: WebhookRequest): Promise<TokenWebhook | undefined> {
    const { accountId } = made.tenant;
    await this.accounts.ensure(trx, accountId);
    if (!(await this.repository.insert(trx, made))) return this.repository.update(trx, made.tenant, request);
    if ((await this.repository.count(trx, accountId)) > MAX_WEBHOOKS_OF_TENANT) {
      throw new GatewayError('conflict', `A tenant has at most ${String(MAX_WEBHOOKS_OF_TENANT)} webhooks`);
    }
    return made;
  }

  private make({ tenant, accessToken }: Bearer, { datasource, event, tsField, server }: WebhookRequest): TokenWebhook {
    if (this.config.legacyApiToken && encodeURIComponent(accessToken).length > MAX_API_TOKEN_LENGTH) {
      throw new GatewayError('malformed_request', 'The access token is too long to stand in a URL');
    }
    const apiToken = this.config.legacyApiToken ? accessToken : newApiToken();
    const createdAt = Date.now();
    return { id: newId(), tenant, datasource, event, tsField: tsField ?? null, server, apiToken, token: newToken(), createdAt };
  }
}

const noSuchWebhook = (): GatewayError => new GatewayError('not_found', 'There is no such webhook');

function assertRoutable(accountId: string, { datasource, event }: WebhookRequest): void {
  if (accountId.includes('.')) {
    throw new GatewayError('malformed_request', 'The tenant’s id holds a dot: it cannot be one word of the routing key');
  }
  if (!fitsRoutingKey({ accountId, datasource, event })) {
    throw new GatewayError('malformed_request', 'datasource and event are too long together: the routing key has at most 255 bytes');
  }
}
