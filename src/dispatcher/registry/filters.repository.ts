import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import { isId } from '../../core/ids';
import type { Page } from '../../http/page';
import type { FiltersTable, Schema } from '../../storage/schema';
import { type Queryable, Storage } from '../../storage/storage';

/** A filter: its row with the lists parsed. */
export interface FilterRecord {
  id: string;
  accountId: string;
  name: string;
  enabled: boolean;
  applications: string[];
  eventTypes: string[];
  levels: string[];
  /** As it was given; null: none. */
  where: Record<string, unknown> | null;
  endpointIds: string[];
  createdAt: number;
  updatedAt: number;
}

/** Filters by account. Everywhere an account of null means any account: an admin key asks. */
@Injectable()
export class FiltersRepository {
  constructor(private readonly storage: Storage) {}

  /** One row more than the page holds, where there are more. */
  async list(account: string | null, page: Page): Promise<FilterRecord[]> {
    const rows = await this.storage.db
      .selectFrom('filters')
      .selectAll()
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .$if(page.cursor !== undefined, (query) => query.where('id', '>', page.cursor as string))
      .orderBy('id')
      .limit(page.limit + 1)
      .execute();
    return rows.map(fromRow);
  }

  find(id: string, account: string | null): Promise<FilterRecord | undefined> {
    return this.read(this.storage.db, id, account, false);
  }

  /** Nobody else changes it until the transaction ends. */
  lock(trx: Transaction<Schema>, id: string, account: string | null): Promise<FilterRecord | undefined> {
    return this.read(trx, id, account, this.storage.engine === 'postgres');
  }

  async insert(trx: Transaction<Schema>, filter: FilterRecord): Promise<void> {
    await trx.insertInto('filters').values(toRow(filter)).execute();
  }

  async replace(trx: Transaction<Schema>, filter: FilterRecord): Promise<void> {
    await trx.updateTable('filters').set(toRow(filter)).where('id', '=', filter.id).execute();
  }

  /** False when the account has none such. */
  async remove(trx: Transaction<Schema>, id: string, account: string | null): Promise<boolean> {
    if (!isId(id)) return false;
    const row = await trx
      .deleteFrom('filters')
      .where('id', '=', id)
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  private async read(on: Queryable, id: string, account: string | null, forUpdate: boolean): Promise<FilterRecord | undefined> {
    if (!isId(id)) return undefined;
    const row = await on
      .selectFrom('filters')
      .selectAll()
      .where('id', '=', id)
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .$if(forUpdate, (query) => query.forUpdate())
      .executeTakeFirst();
    return row && fromRow(row);
  }
}

const toRow = (filter: FilterRecord): FiltersTable => ({
  id: filter.id,
  account_id: filter.accountId,
  name: filter.name,
  enabled: filter.enabled ? 1 : 0,
  applications: JSON.stringify(filter.applications),
  event_types: JSON.stringify(filter.eventTypes),
  levels: JSON.stringify(filter.levels),
  where: filter.where === null ? null : JSON.stringify(filter.where),
  endpoint_ids: JSON.stringify(filter.endpointIds),
  created_at: filter.createdAt,
  updated_at: filter.updatedAt,
});

const fromRow = (row: Selectable<FiltersTable>): FilterRecord => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  enabled: row.enabled === 1,
  applications: JSON.parse(row.applications) as string[],
  eventTypes: JSON.parse(row.event_types) as string[],
  levels: JSON.parse(row.levels) as string[],
  where: row.where === null ? null : (JSON.parse(row.where) as Record<string, unknown>),
  endpointIds: JSON.parse(row.endpoint_ids) as string[],
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
