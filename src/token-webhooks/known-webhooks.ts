import { Injectable } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import type { Selectable } from 'kysely';
import { hashOf } from '../auth/api-key';
import { anyOf } from '../dispatcher/any-of';
import { RegistryVersion } from '../storage/registry-version';
import type { TokenWebhooksTable } from '../storage/schema';
import { SharedRead } from '../storage/shared-read';
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

/**
 * All webhooks, in memory: they go on while the storage is away. What another process has changed is seen within a second; for one that is
 * not known here it looks at once, since it may have been made a moment ago.
 */
@Injectable()
export class KnownWebhooks {
  private readonly byToken = new Map<string, KnownWebhook>();
  private readonly tokenOf = new Map<string, string>();
  /** The registry's version that this shows. */
  private version: number | undefined;
  private readonly reads = new SharedRead(() => this.load());

  constructor(
    private readonly storage: Storage,
    changes: RegistryVersion,
  ) {
    changes.onChange(() => this.reads.fresh());
  }

  /** Undefined where there is none, or it has another apiToken. @throws GatewayError `storage_unavailable` where nobody here knows. */
  async find(apiToken: string, token: string): Promise<KnownWebhook | undefined> {
    const hash = hashOf(token).toString('hex');
    if (!this.byToken.has(hash)) await this.reads.freshForStrangers();
    const found = this.byToken.get(hash);
    return found !== undefined && timingSafeEqual(hashOf(apiToken), found.apiTokenHash) ? found : undefined;
  }

  /** From memory alone. */
  ownerOf(token: string): string | undefined {
    return this.byToken.get(hashOf(token).toString('hex'))?.accountId;
  }

  /** Reads what has changed. @throws GatewayError `storage_unavailable`; all stays as it is then. */
  private load(): Promise<void> {
    return this.storage.snapshot((db) => this.loadChanges(db));
  }

  private async loadChanges(db: Queryable): Promise<void> {
    const { version } = await db.selectFrom('registry_version').select('version').where('id', '=', 1).executeTakeFirstOrThrow();
    const since = this.version;
    if (since === version) return;
    if (since === undefined) this.forgetAll();
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
  }

  /** What a first read that failed halfway has left. */
  private forgetAll(): void {
    this.byToken.clear();
    this.tokenOf.clear();
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
