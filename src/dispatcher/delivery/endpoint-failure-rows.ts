import { type Transaction, sql } from 'kysely';
import type { Schema } from '../../storage/schema';
import type { Queryable, Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import type { ToldEndpoint } from '../operational/facts';
import { type DisablePolicy, type FailureRecord, readDisablePolicy } from './disable-policy';

/** What an endpoint's row says of its failures. */
export interface EndpointFailures extends ToldEndpoint, FailureRecord {
  enabled: boolean;
  policy: DisablePolicy | null;
}

/** Enough to see whether others fail as well. */
const FAILING_LOOKED_AT = 200;

/** The columns of endpoints that tell how they fare. Nothing is asked or written for an empty list of ids. */
export class EndpointFailureRows {
  constructor(private readonly storage: Storage) {}

  /** Those that are enabled. */
  async read(ids: readonly string[]): Promise<EndpointFailures[]> {
    return (await this.select(this.storage.db, ids, false)).filter((row) => row.enabled);
  }

  /** Nobody else changes them until the transaction ends. */
  lock(trx: Transaction<Schema>, ids: readonly string[]): Promise<EndpointFailures[]> {
    return this.select(trx, ids, this.storage.engine === 'postgres');
  }

  /** Those of the ids that are noted as failing. */
  async stillFailing(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await this.storage.db
      .selectFrom('endpoints')
      .select('id')
      .where(this.isAmong(ids))
      .where('failing_since', 'is not', null)
      .execute();
    return rows.map((row) => row.id);
  }

  /** Reaches only rows that it changes. @returns their ids. */
  async setFailingSince(on: Queryable, ids: readonly string[], since: number | null): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await on
      .updateTable('endpoints')
      .set({ failing_since: since })
      .where(this.isAmong(ids))
      .where('failing_since', since === null ? 'is not' : 'is', null)
      .returning('id')
      .execute();
    return rows.map((row) => row.id);
  }

  /** @param more Failures to add, by endpoint. @returns the counts that this makes. */
  async addFailures(more: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    if (more.size === 0) return new Map();
    const json = JSON.stringify(Object.fromEntries(more));
    const added =
      this.storage.engine === 'postgres'
        ? sql<{ id: string; failure_count: number }>`
            update endpoints set failure_count = failure_count + added.value::int4
            from json_each_text(${json}::json) as added
            where id = added.key::uuid returning id, failure_count`
        : sql<{ id: string; failure_count: number }>`
            update endpoints set failure_count = failure_count + (select value from json_each(${json}) where key = endpoints.id)
            where id in (select key from json_each(${json})) returning id, failure_count`;
    const { rows } = await added.execute(this.storage.db);
    return new Map(rows.map((row) => [row.id, row.failure_count]));
  }

  /** The hosts of endpoints that are failing now; not all of them where they are many. */
  async failingHosts(): Promise<Set<string>> {
    const rows = await this.storage.db
      .selectFrom('endpoints')
      .select('url')
      .where('enabled', '=', 1)
      .where('failing_since', 'is not', null)
      .orderBy('id')
      .limit(FAILING_LOOKED_AT)
      .execute();
    return new Set(rows.map((row) => new URL(row.url).hostname));
  }

  async disable(trx: Transaction<Schema>, ids: readonly string[], reason: string): Promise<void> {
    await trx
      .updateTable('endpoints')
      .set({ enabled: 0, disabled_reason: reason, updated_at: Date.now() })
      .where(this.isAmong(ids))
      .execute();
  }

  private async select(on: Queryable, ids: readonly string[], forUpdate: boolean): Promise<EndpointFailures[]> {
    if (ids.length === 0) return [];
    const rows = await on
      .selectFrom('endpoints')
      .select(['id', 'account_id', 'name', 'url', 'enabled', 'failing_since', 'failure_count', 'disable_policy'])
      .where(this.isAmong(ids))
      .orderBy('id')
      .$if(forUpdate, (query) => query.forUpdate())
      .execute();
    return rows.map((row) => ({
      id: row.id,
      accountId: row.account_id,
      name: row.name,
      url: row.url,
      enabled: row.enabled === 1,
      failingSince: row.failing_since,
      failureCount: row.failure_count,
      policy: readDisablePolicy(row.disable_policy),
    }));
  }

  private isAmong(ids: readonly string[]): ReturnType<typeof anyOf> {
    return anyOf(this.storage.engine, 'id', 'uuid', ids);
  }
}
