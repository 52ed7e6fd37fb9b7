import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { isId } from '../../core/ids';
import type { Page } from '../../http/page';
import type { Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import type { JobRow, JobState } from './job';

/** Ended jobs are listed for so long. */
const KEPT_MS = 30 * 86_400_000;

/** Open jobs that there may be at once, of all accounts and of one. */
export const MAX_OPEN = { all: 100, account: 10 };

/** What a slice leaves for the next. */
export type Progress = Pick<JobRow, 'examined' | 'changed' | 'cursor'>;

/** An account of null means any: an admin key asks. */
@Injectable()
export class JobsRepository {
  constructor(private readonly storage: Storage) {}

  async insert(row: JobRow): Promise<void> {
    await this.storage.insertMany(this.storage.db, 'jobs', [row]);
  }

  /** Newest first; one row more than the page holds, where there are more. */
  list(account: string | null, page: Page): Promise<JobRow[]> {
    return this.storage.db
      .selectFrom('jobs')
      .selectAll()
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .$if(page.cursor !== undefined, (query) => query.where('id', '<', page.cursor as string))
      .orderBy('id', 'desc')
      .limit(page.limit + 1)
      .execute();
  }

  async find(id: string, account: string | null): Promise<JobRow | undefined> {
    if (!isId(id)) return undefined;
    return this.storage.db
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', id)
      .$if(account !== null, (query) => query.where('account_id', '=', account as string))
      .executeTakeFirst();
  }

  /** The oldest first. */
  open(): Promise<Pick<JobRow, 'id' | 'account_id'>[]> {
    return this.storage.db
      .selectFrom('jobs')
      .select(['id', 'account_id'])
      .where('finished_at', 'is', null)
      .orderBy('id')
      .limit(MAX_OPEN.all)
      .execute();
  }

  /** It ends before its next slice. */
  async askToStop(id: string): Promise<void> {
    await this.storage.db
      .updateTable('jobs')
      .set({ state: 'stopping' satisfies JobState, updated_at: Date.now() })
      .where('id', '=', id)
      .where('state', '=', 'running' satisfies JobState)
      .execute();
  }

  /** Undefined when it has ended. Nobody else works on it until the transaction ends. */
  async lock(trx: Transaction<Schema>, id: string): Promise<JobRow | undefined> {
    return trx
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .$if(this.storage.engine === 'postgres', (query) => query.forUpdate())
      .executeTakeFirst();
  }

  async advance(trx: Transaction<Schema>, id: string, progress: Progress): Promise<void> {
    await trx
      .updateTable('jobs')
      .set({ ...progress, updated_at: Date.now() })
      .where('id', '=', id)
      .execute();
  }

  async end(on: Transaction<Schema> | undefined, id: string, state: JobState, error: string | null = null): Promise<void> {
    const nowMs = Date.now();
    await (on ?? this.storage.db)
      .updateTable('jobs')
      .set({ state, error, updated_at: nowMs, finished_at: nowMs })
      .where('id', '=', id)
      .where('finished_at', 'is', null)
      .execute();
  }

  async forgetOld(): Promise<void> {
    await this.storage.db
      .deleteFrom('jobs')
      .where('finished_at', '<', Date.now() - KEPT_MS)
      .execute();
  }
}
