import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { isId } from '../../core/ids';
import type { Page } from '../../http/page';
import type { EndpointsTable, Schema } from '../../storage/schema';
import { type Queryable, Storage } from '../../storage/storage';
import { type EndpointRecord, fromRow } from './endpoint-record';

/** Endpoints by account. Everywhere an account of null means any account: an admin key asks. */
@Injectable()
export class EndpointsRepository {
  constructor(private readonly storage: Storage) {}

  /** One row more than the page holds, where there are more. */
  async list(account: string | null, page: Page): Promise<EndpointRecord[]> {
    const rows = await this.storage.db
      .selectFrom('endpoints')
      .selectAll()
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .$if(page.cursor !== undefined, (query) => query.where('id', '>', page.cursor as string))
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
    return rows.map(fromRow);
  }

  async find(id: string, account: string | null): Promise<EndpointRecord | undefined> {
    return this.read(this.storage.db, id, account, false);
  }

  /** Nobody else changes it until the transaction ends. */
  async lock(trx: Transaction<Schema>, id: string, account: string | null): Promise<EndpointRecord | undefined> {
    return this.read(trx, id, account, this.storage.engine === 'postgres');
  }

  private async read(on: Queryable, id: string, account: string | null, forUpdate: boolean): Promise<EndpointRecord | undefined> {
    if (!isId(id)) return undefined;
    const row = await on
      .selectFrom('endpoints')
      .selectAll()
      .where('id', '=', id)
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .$if(forUpdate, (query) => query.forUpdate())
      .executeTakeFirst();
    return row && fromRow(row);
  }

  /** Those of the ids that are no endpoint of the account. */
  async unknownIds(trx: Transaction<Schema>, ids: readonly string[], account: string): Promise<Set<string>> {
    const unknown = new Set(ids);
    const wellFormed = [...unknown].filter(isId);
    if (wellFormed.length === 0) return unknown;
    const rows = await trx.selectFrom('endpoints').select('id').where('id', 'in', wellFormed).where('account_id', '=', account).execute();
    for (const row of rows) unknown.delete(row.id);
    return unknown;
  }

  async insert(trx: Transaction<Schema>, endpoint: EndpointRecord): Promise<void> {
    await trx.insertInto('endpoints').values(toRow(endpoint)).execute();
  }

  /** Writes every column of an endpoint that was locked in the same transaction. */
  async replace(trx: Transaction<Schema>, endpoint: EndpointRecord): Promise<void> {
    await trx.updateTable('endpoints').set(toRow(endpoint)).where('id', '=', endpoint.id).execute();
  }

  async remove(trx: Transaction<Schema>, id: string): Promise<void> {
    await trx.deleteFrom('endpoints').where('id', '=', id).execute();
  }
}

const toRow = (endpoint: EndpointRecord): EndpointsTable => ({
  id: endpoint.id,
  account_id: endpoint.accountId,
  name: endpoint.name,
  type: endpoint.type,
  url: endpoint.url,
  description: endpoint.description,
  headers: JSON.stringify(endpoint.headers),
  auth: endpoint.auth && JSON.stringify(endpoint.auth),
  enabled: endpoint.enabled ? 1 : 0,
  disabled_reason: endpoint.disabledReason,
  timeout_ms: endpoint.timeoutMs,
  max_in_flight: endpoint.maxInFlight,
  rate_per_second: endpoint.ratePerSecond,
  retry_schedule: endpoint.retrySchedule && JSON.stringify(endpoint.retrySchedule),
  properties: JSON.stringify(endpoint.properties),
  secret: endpoint.secret,
  previous_secret: endpoint.previousSecret,
  previous_secret_until: endpoint.previousSecretUntil,
  failing_since: endpoint.failingSince,
  disable_policy: endpoint.disablePolicy && JSON.stringify(endpoint.disablePolicy),
  failure_count: endpoint.failureCount,
  created_at: endpoint.createdAt,
  updated_at: endpoint.updatedAt,
});
