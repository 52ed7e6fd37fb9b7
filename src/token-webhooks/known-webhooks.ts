import { Injectable } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import type { Selectable } from 'kysely';
import { hashOf } from '../auth/api-key';
import { anyOf } from '../dispatcher/any-of';
import { RegistryVersion } from '../storage/registry-version';
import type { TokenWebhooksTable } from '../storage/schema';
import { type Queryable, Storage } from '../storage/storage';
import { routingKeyOf } from './reading/routing-key';

/** What the door has to know of a webhook; neither of its tokens. */
export interface KnownWebhook {
  id: string;
  accountId: string;
  routingKey: string;
  tsField: string | null;
  apiTokenHash: Buffer;
}

const COLUMNS = ['id', 'account_id', 'datasource', 'event', 'ts_field', 'token_hash', 'api_token_hash'] as const;
type Row = Pick<Selectable<TokenWebhooksTable>, (typeof COLUMNS)[number]>;

const KIND = 'token_webhook';
const PAGE_ROWS = 1_000;
/** Tokens of no webhook: trying one again and again costs no query. */
const MAX_UNKNOWN = 1_000;

/**
 * All webhooks, in memory: they go on while the storage is away. What another process has changed is seen within a second; a webhook that
 * is not known here is looked up at once, since it may have been made a moment ago.
 */
@Injectable()
export class KnownWebhooks {
  private byToken = new Map<string, KnownWebhook>();
  private readonly tokenOf = new Map<string, string>();
  private unknown = new Set<string>();
  /** The registry's version that this shows. */
  private version: number | undefined;
  /** One at a time: each goes on where the last one ended. */
  private loading: Promise<void> = Promise.resolve();

  constructor(
    private readonly storage: Storage,
    changes: RegistryVersion,
  ) {
    changes.onChange(() => this.load());
  }

  /** Undefined where there is none, or it has another apiToken. @throws GatewayError `storage_unavailable` where nobody here knows. */
  async find(apiToken: string, token: string): Promise<KnownWebhook | undefined> {
    const hash = hashOf(token).toString('hex');
    const found = this.byToken.get(hash) ?? (this.unknown.has(hash) ? undefined : await this.lookUp(hash));
    return found !== undefined && timingSafeEqual(hashOf(apiToken), found.apiTokenHash) ? found : undefined;
  }

  /** From memory alone. */
  ownerOf(token: string): string | undefined {
    return this.byToken.get(hashOf(token).toString('hex'))?.accountId;
  }

  private async lookUp(hash: string): Promise<KnownWebhook | undefined> {
    // Kept hold of: what was read before a change must not be remembered after it.
    const { unknown } = this;
    const row = await this.storage.db.selectFrom('token_webhooks').select(COLUMNS).where('token_hash', '=', hash).executeTakeFirst();
    // Not remembered: it may be deleted while this is read, and the change that brings it is on its way.
    if (row !== undefined) return knownOf(row);
    if (unknown.size >= MAX_UNKNOWN) unknown.clear();
    unknown.add(hash);
    return undefined;
  }

  /** Reads what has changed. @throws GatewayError `storage_unavailable`; all stays as it is then. */
  private load(): Promise<void> {
    const loaded = this.loading.then(() => this.storage.snapshot((db) => this.loadChanges(db)));
    this.loading = loaded.catch(() => undefined);
    return loaded;
  }

  private async loadChanges(db: Queryable): Promise<void> {
    const { version } = await db.selectFrom('registry_version').select('version').where('id', '=', 1).executeTakeFirstOrThrow();
    const since = this.version;
    let after = '';
    for (let isLast = false; !isLast;) {
      const ids = since === undefined ? undefined : await this.changedIds(db, since, after);
      const rows = await this.rows(db, ids, after);
      const page = ids ?? rows.map(({ id }) => id);
      this.apply(page, rows);
      isLast = page.length < PAGE_ROWS;
      after = page.at(-1) ?? after;
    }
    this.version = version;
    this.unknown = new Set();
  }

  private async changedIds(db: Queryable, since: number, after: string): Promise<string[]> {
    const changed = await db
      .selectFrom('registry_changes')
      .select('key')
      .where('kind', '=', KIND)
      .where('version', '>', since)
      .where('key', '>', after)
      .orderBy('key')
      .limit(PAGE_ROWS)
      .execute();
    return changed.map(({ key }) => key);
  }

  private async rows(db: Queryable, ids: readonly string[] | undefined, after: string): Promise<Row[]> {
    const query = db.selectFrom('token_webhooks').select(COLUMNS);
    if (ids !== undefined) return ids.length === 0 ? [] : query.where(anyOf(this.storage.engine, 'id', 'uuid', ids)).execute();
    const rest = after === '' ? query : query.where('id', '>', after);
    return rest.orderBy('id').limit(PAGE_ROWS).execute();
  }

  /** @param ids Of the rows, and of those that have gone. */
  private apply(ids: readonly string[], rows: readonly Row[]): void {
    for (const id of ids) {
      this.byToken.delete(this.tokenOf.get(id) ?? '');
      this.tokenOf.delete(id);
    }
    for (const row of rows) {
      this.byToken.set(row.token_hash, knownOf(row));
      this.tokenOf.set(row.id, row.token_hash);
    }
  }
}

const knownOf = ({ id, account_id: accountId, datasource, event, ts_field, api_token_hash }: Row): KnownWebhook => ({
  id,
  accountId,
  routingKey: routingKeyOf({ accountId, datasource, event }),
  tsField: ts_field,
  apiTokenHash: Buffer.from(api_token_hash, 'hex'),
});
