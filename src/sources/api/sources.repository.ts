import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { isId } from '../../core/ids';
import type { Page } from '../../http/page';
import { KeysInUse } from '../../secrets/keys-in-use';
import { SecretBox } from '../../secrets/secret-box';
import type { Schema } from '../../storage/schema';
import { type Queryable, Storage } from '../../storage/storage';
import { type SealedSource, type SourceRecord, fromRow, toRow } from '../registry/source-record';

/** Sources by account. Everywhere an account of null means any account: an admin key asks. */
@Injectable()
export class SourcesRepository {
  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    private readonly keys: KeysInUse,
  ) {}

  /** One row more than the page holds, where there are more. */
  async list(account: string | null, page: Page): Promise<SealedSource[]> {
    const rows = await this.storage.db
      .selectFrom('sources')
      .selectAll()
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .$if(page.cursor !== undefined, (query) => query.where('id', '>', page.cursor as string))
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
    return rows.map((row) => fromRow(row, this.box));
  }

  find(id: string, account: string | null): Promise<SealedSource | undefined> {
    return this.read(this.storage.db, id, account, false);
  }

  /** Nobody else changes it until the transaction ends. */
  lock(trx: Transaction<Schema>, id: string, account: string | null): Promise<SealedSource | undefined> {
    return this.read(trx, id, account, this.storage.engine === 'postgres');
  }

  async count(trx: Transaction<Schema>, account: string): Promise<number> {
    const { sources } = await trx
      .selectFrom('sources')
      .select((eb) => eb.fn.countAll<number | string>().as('sources'))
      .where('account_id', '=', account)
      .executeTakeFirstOrThrow();
    return Number(sources);
  }

  async insert(trx: Transaction<Schema>, source: SourceRecord): Promise<void> {
    await this.keys.use(trx);
    await trx.insertInto('sources').values(toRow(source, this.box)).execute();
  }

  /** Writes the whole of a source that was locked in the same transaction. */
  async replace(trx: Transaction<Schema>, source: SourceRecord): Promise<void> {
    await this.keys.use(trx);
    await trx.updateTable('sources').set(toRow(source, this.box)).where('id', '=', source.id).execute();
  }

  /** False when there is none. */
  async remove(trx: Transaction<Schema>, id: string, account: string | null): Promise<boolean> {
    if (!isId(id)) return false;
    const row = await trx
      .deleteFrom('sources')
      .where('id', '=', id)
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  private async read(on: Queryable, id: string, account: string | null, forUpdate: boolean): Promise<SealedSource | undefined> {
    if (!isId(id)) return undefined;
    const row = await on
      .selectFrom('sources')
      .selectAll()
      .where('id', '=', id)
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .$if(forUpdate, (query) => query.forUpdate())
      .executeTakeFirst();
    return row && fromRow(row, this.box);
  }
}
