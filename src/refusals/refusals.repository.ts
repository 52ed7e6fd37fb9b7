import { Injectable } from '@nestjs/common';
import type { Selectable } from 'kysely';
import type { Page } from '../http/page';
import type { RequestsTable } from '../storage/schema';
import { Storage } from '../storage/storage';

export interface RefusalQuery {
  outcome?: string;
  /** A source of the ledger, or a door: all that came there. */
  source?: string;
  code?: string;
}

const CLAIM_MS = 60_000;

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
  'body_whole',
  'accepted_at',
] as const;

export type RefusalHead = Pick<Selectable<RequestsTable>, (typeof HEAD)[number]>;

@Injectable()
export class RefusalsRepository {
  constructor(private readonly storage: Storage) {}

  /** Newest first, one more than the page holds where there is more. */
  find({ outcome, source, code }: RefusalQuery, { limit, cursor }: Page): Promise<RefusalHead[]> {
    let query = this.storage.db
      .selectFrom('requests')
      .select(HEAD)
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (outcome !== undefined) query = query.where('outcome', '=', outcome);
    if (source !== undefined) query = query.where((row) => row.or([row('source', '=', source), row('door', '=', source)]));
    if (code !== undefined) query = query.where('code', '=', code);
    if (cursor !== undefined) query = query.where('id', '<', cursor);
    return query.execute();
  }

  findOne(id: string): Promise<Selectable<RequestsTable> | undefined> {
    return this.storage.db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** False while somebody else takes it in, and once it was accepted. A claim that nobody settled counts for a minute. */
  async claim(id: string, nowMs: number): Promise<boolean> {
    const claimed = await this.storage.db
      .updateTable('requests')
      .set({ claimed_at: nowMs })
      .where('id', '=', id)
      .where('outcome', '=', 'rejected')
      .where((row) => row.or([row('claimed_at', 'is', null), row('claimed_at', '<', nowMs - CLAIM_MS)]))
      .returning('id')
      .executeTakeFirst();
    return claimed !== undefined;
  }

  async giveUp(id: string): Promise<void> {
    await this.storage.db.updateTable('requests').set({ claimed_at: null }).where('id', '=', id).execute();
  }

  async accepted(id: string, nowMs: number): Promise<void> {
    await this.storage.db.updateTable('requests').set({ outcome: 'accepted', accepted_at: nowMs }).where('id', '=', id).execute();
  }
}
