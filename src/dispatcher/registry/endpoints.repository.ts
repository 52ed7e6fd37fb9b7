import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { isId } from '../../core/ids';
import type { Page } from '../../http/page';
import { KeysInUse } from '../../secrets/keys-in-use';
import { SecretBox } from '../../secrets/secret-box';
import type { Schema } from '../../storage/schema';
import { type Queryable, Storage } from '../../storage/storage';
import { type EndpointRecord, columnsOf, fromRow, toRow } from './endpoint-record';

/** Endpoints by account. Everywhere an account of null means any account: an admin key asks. */
@Injectable()
export class EndpointsRepository {
  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    private readonly keys: KeysInUse,
  ) {}

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
    return rows.map((row) => fromRow(row, this.box));
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
    return row && fromRow(row, this.box);
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
    await this.keys.use(trx);
    await trx.insertInto('endpoints').values(toRow(endpoint, this.box)).execute();
  }

  /** Writes some fields of an endpoint that was locked in the same transaction. @returns the whole of it. */
  async update(trx: Transaction<Schema>, id: string, fields: Partial<EndpointRecord>): Promise<EndpointRecord> {
    await this.keys.use(trx);
    const columns = columnsOf(id, fields, this.box);
    const row = await trx.updateTable('endpoints').set(columns).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
    return fromRow(row, this.box);
  }

  async remove(trx: Transaction<Schema>, id: string): Promise<void> {
    await trx.deleteFrom('endpoints').where('id', '=', id).execute();
  }
}
