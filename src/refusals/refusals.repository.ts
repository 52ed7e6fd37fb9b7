import { Injectable } from '@nestjs/common';
import type { Selectable } from 'kysely';
import type { Page } from '../http/page';
import type { RequestsTable } from '../storage/schema';
import { Storage } from '../storage/storage';

export interface RefusalQuery {
  source?: string;
  code?: string;
}

const HEAD = [
  'id',
  'at',
  'source',
  'outcome',
  'status',
  'code',
  'detail',
  'method',
  'path',
  'address',
  'body_bytes',
  'request_id',
] as const;

export type RefusalHead = Pick<Selectable<RequestsTable>, (typeof HEAD)[number]>;

@Injectable()
export class RefusalsRepository {
  constructor(private readonly storage: Storage) {}

  /** Newest first, one more than the page holds where there is more. */
  find({ source, code }: RefusalQuery, { limit, cursor }: Page): Promise<RefusalHead[]> {
    let query = this.storage.db
      .selectFrom('requests')
      .select(HEAD)
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (source !== undefined) query = query.where('source', '=', source);
    if (code !== undefined) query = query.where('code', '=', code);
    if (cursor !== undefined) query = query.where('id', '<', cursor);
    return query.execute();
  }

  findOne(id: string): Promise<Selectable<RequestsTable> | undefined> {
    return this.storage.db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst();
  }
}
