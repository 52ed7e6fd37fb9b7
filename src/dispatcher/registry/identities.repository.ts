import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import type { Page } from '../../http/page';
import type { AccountIdentitiesTable, Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';

export type IdentityRow = Selectable<AccountIdentitiesTable>;
export type NewIdentity = Omit<IdentityRow, 'credentials' | 'credentials_at'>;

/** No channel's name holds a colon. */
export const cursorOf = (row: IdentityRow): string => `${row.channel}:${row.external_id}`;

function keyOf(cursor: string | undefined): [channel: string, externalId: string] {
  const at = cursor?.indexOf(':') ?? -1;
  return cursor === undefined || at === -1 ? ['', ''] : [cursor.slice(0, at), cursor.slice(at + 1)];
}

@Injectable()
export class IdentitiesRepository {
  constructor(private readonly storage: Storage) {}

  /** By channel and external id; one row more than the page holds, where there are more. */
  list(account: string, page: Page): Promise<IdentityRow[]> {
    const [channel, externalId] = keyOf(page.cursor);
    return this.storage.db
      .selectFrom('account_identities')
      .selectAll()
      .where('account_id', '=', account)
      .where((row) => row.or([row('channel', '>', channel), row.and([row('channel', '=', channel), row('external_id', '>', externalId)])]))
      .orderBy('channel')
      .orderBy('external_id')
      .limit(page.limit + 1)
      .execute();
  }

  /** The row as it stands afterwards, which may be another account's; nobody else changes it until the transaction ends. */
  async claim(trx: Transaction<Schema>, identity: NewIdentity): Promise<IdentityRow> {
    await trx
      .insertInto('account_identities')
      .values({ ...identity, credentials: null, credentials_at: null })
      .onConflict((conflict) => conflict.columns(['channel', 'external_id']).doNothing())
      .execute();
    return trx
      .selectFrom('account_identities')
      .selectAll()
      .where('channel', '=', identity.channel)
      .where('external_id', '=', identity.external_id)
      .$if(this.storage.engine === 'postgres', (query) => query.forUpdate())
      .executeTakeFirstOrThrow();
  }

  /** False when the account has none such. */
  async remove(trx: Transaction<Schema>, account: string, channel: string, externalId: string): Promise<boolean> {
    if ([account, channel, externalId].some((text) => text.includes('\0'))) return false;
    const row = await trx
      .deleteFrom('account_identities')
      .where('account_id', '=', account)
      .where('channel', '=', channel)
      .where('external_id', '=', externalId)
      .returning('channel')
      .executeTakeFirst();
    return row !== undefined;
  }
}
