import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import { isId, newId } from '../core/ids';
import type { Page } from '../http/page';
import { RegistryVersion, bumpRegistryVersion } from '../storage/registry-version';
import type { ApiKeysTable, Schema } from '../storage/schema';
import { Storage } from '../storage/storage';
import { newApiKey } from './api-key';

export type ApiKeyRow = Omit<Selectable<ApiKeysTable>, 'hash' | 'revoked_at'>;

const SHOWN = ['id', 'account_id', 'name', 'prefix', 'created_at'] as const;

/** The keys that are not revoked. `account` says whose: null for anybody's, since an admin key asks. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly storage: Storage,
    private readonly version: RegistryVersion,
  ) {}

  /** @param accountId Null for an admin key. An account that is new appears. */
  async create(accountId: string | null, name: string): Promise<{ row: ApiKeyRow; key: string }> {
    const { key, prefix, hash } = newApiKey();
    const row: ApiKeyRow = { id: newId(), account_id: accountId, name, prefix, created_at: Date.now() };
    await this.change(async (trx) => {
      if (accountId !== null) {
        await trx
          .insertInto('accounts')
          .values({ id: accountId, name: accountId, created_at: row.created_at })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
      }
      await trx
        .insertInto('api_keys')
        .values({ ...row, hash, revoked_at: null })
        .execute();
      return true;
    });
    return { row, key };
  }

  /** Oldest first; one more than the page holds, where there are more. */
  list(account: string | null, page: Page): Promise<ApiKeyRow[]> {
    return this.live(account)
      .$if(page.cursor !== undefined, (query) => query.where('id', '>', page.cursor as string))
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
  }

  async find(id: string, account: string | null): Promise<ApiKeyRow | undefined> {
    if (!isId(id)) return undefined;
    return this.live(account).where('id', '=', id).executeTakeFirst();
  }

  /** False when there is no such key. */
  async rename(id: string, account: string | null, name: string): Promise<boolean> {
    return this.update(id, account, { name });
  }

  /** This process refuses the key from now on, others within a second. False when there is no such key. */
  async revoke(id: string, account: string | null): Promise<boolean> {
    return this.update(id, account, { revoked_at: Date.now() });
  }

  private live(account: string | null) {
    const query = this.storage.db.selectFrom('api_keys').select(SHOWN).where('revoked_at', 'is', null);
    return account === null ? query : query.where('account_id', '=', account);
  }

  private async update(id: string, account: string | null, values: { name?: string; revoked_at?: number }): Promise<boolean> {
    if (!isId(id)) return false;
    return this.change(async (trx) => {
      const row = await trx
        .updateTable('api_keys')
        .set(values)
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .$if(account !== null, (query) => query.where('account_id', '=', account))
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    });
  }

  /** @param work False when it changed nothing. */
  private async change(work: (trx: Transaction<Schema>) => Promise<boolean>): Promise<boolean> {
    const changed = await this.storage.transaction(async (trx) => {
      const result = await work(trx);
      if (result) await bumpRegistryVersion(trx);
      return result;
    });
    if (changed) await this.version.changed();
    return changed;
  }
}
