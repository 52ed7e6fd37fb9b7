import type { LoadedThread, Thread, ThreadStatement } from './thread';

export interface ThreadQuery {
  /** Null: of any account. */
  account: string | null;
  channel: string | undefined;
  /** Something was said then or later, milliseconds since 1970. */
  sinceMs: number | undefined;
  /** Words that stand together in one statement, in any order and case. */
  text: string | undefined;
}

/** Where a page of threads ended: its last one. */
export type ThreadPosition = Pick<Thread, 'id' | 'accountId' | 'lastAt'>;

/** Where a page of statements ended: its last one. */
export type StatementPosition = Pick<ThreadStatement, 'at' | 'eventId'>;

/** A statement that can never be written, with the reason. */
export interface RefusedStatement {
  statement: ThreadStatement;
  reason: string;
}

/** A search goes through so many of the newest statements that hold its words. */
export const MAX_SEARCHED_STATEMENTS = 2_000;

/**
 * The port to the conversations. Two adapters, `sql/` (in the storage's own tables) and `elasticsearch/`; test/conformance/threads
 * holds both to it. Every method but `probe` throws GatewayError `thread_store_unavailable` while the store is away.
 */
export abstract class ThreadStore {
  abstract readonly engine: 'storage' | 'elasticsearch';

  /** Writes what is not there yet; a statement is known by its event. @returns those that can never be written; all others are. */
  abstract write(statements: readonly ThreadStatement[]): Promise<RefusedStatement[]>;

  /** At most `limit` threads, those with the newest statement first. */
  abstract list(query: ThreadQuery, limit: number, after?: ThreadPosition): Promise<Thread[]>;

  /** Of the accounts that have a thread of this id, the one where something was said last; null: of any account. */
  abstract find(id: string, account: string | null): Promise<Thread | undefined>;

  /** At most `limit` statements of a thread, the newest first. */
  abstract statements(thread: Thread, limit: number, after?: StatementPosition): Promise<ThreadStatement[]>;

  /** Deletes some of what was said before, and threads that are left without statements. @returns whether there may be more. */
  abstract expire(beforeMs: number): Promise<boolean>;

  /** True when a write would succeed; never throws. */
  abstract probe(): Promise<boolean>;

  abstract close(): Promise<void>;

  /** A thread with its last statements; undefined if there is none (in the account, where one is given). */
  async load(id: string, { accountId, limit }: { accountId?: string; limit: number }): Promise<LoadedThread | undefined> {
    const thread = await this.find(id, accountId ?? null);
    return thread && { ...thread, statements: (await this.statements(thread, limit)).reverse() };
  }
}
