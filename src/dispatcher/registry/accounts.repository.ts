import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import type { Page } from '../../http/page';
import { RegistryVersion } from '../../storage/registry-version';
import type { AccountsTable, Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';

export type AccountRow = Selectable<AccountsTable>;

/** Accounts. Everywhere an account of null means any account: an admin key asks. */
@Injectable()
export class AccountsRepository {
  /** Accounts that are known to exist; only ever saves a query. */
  private readonly known = new Set<string>();

  constructor(
    private readonly storage: Storage,
    version: RegistryVersion,
  ) {
    // One of them may have been deleted.
    version.onChange(() => Promise.resolve(this.known.clear()));
  }

  /** By id; one row more than the page holds, where there are more. */
  list(account: string | null, page: Page): Promise<AccountRow[]> {
    return this.storage.db
      .selectFrom('accounts')
      .selectAll()
      .$if(account !== null, (query) => query.where('id', '=', account as string))
      .$if(page.cursor !== undefined, (query) => query.where('id', '>', page.cursor as string))
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
  }

  async find(id: string): Promise<AccountRow | undefined> {
    if (id.includes('\0')) return undefined;
    return this.storage.db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** False when there is one of that id already. */
  async insert(trx: Transaction<Schema>, account: AccountRow): Promise<boolean> {
    const row = await trx
      .insertInto('accounts')
      .values(account)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** An account appears when it is first named. True when it did not exist. */
  ensure(trx: Transaction<Schema>, id: string): Promise<boolean> {
    return this.insert(trx, { id, name: id, created_at: Date.now() });
  }

  /** Those of the ids that may be of no account yet. */
  unsure(ids: Iterable<string>): string[] {
    return [...new Set(ids)].filter((id) => !this.known.has(id)).sort();
  }

  /** To be called when the transaction that made sure of them is committed. */
  remember(ids: readonly string[]): void {
    for (const id of ids) this.known.add(id);
  }

  /** False when there is none. */
  async rename(trx: Transaction<Schema>, id: string, name: string): Promise<boolean> {
    if (id.includes('\0')) return false;
    const row = await trx.updateTable('accounts').set({ name }).where('id', '=', id).returning('id').executeTakeFirst();
    return row !== undefined;
  }

  /** With its identities, filters, endpoints and sources; its keys are revoked. False when there is none. */
  async remove(trx: Transaction<Schema>, id: string): Promise<boolean> {
    if (id.includes('\0')) return false;
    const row = await trx.deleteFrom('accounts').where('id', '=', id).returning('id').executeTakeFirst();
    if (row === undefined) return false;
    await trx.deleteFrom('account_identities').where('account_id', '=', id).execute();
    await trx.deleteFrom('filters').where('account_id', '=', id).execute();
    await trx.deleteFrom('endpoints').where('account_id', '=', id).execute();
    await trx.deleteFrom('token_webhooks').where('account_id', '=', id).execute();
    await trx.deleteFrom('sources').where('account_id', '=', id).execute();
    await trx
      .updateTable('api_keys')
      .set({ revoked_at: Date.now() })
      .where('account_id', '=', id)
      .where('revoked_at', 'is', null)
      .execute();
    return true;
  }
}
