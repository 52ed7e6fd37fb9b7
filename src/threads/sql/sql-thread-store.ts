import { type RawBuilder, sql } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import { GatewayError, isOutage } from '../../core/errors';
import type { Attachment } from '../../core/hook-event';
import type { StatementsTable } from '../../storage/schema';
import type { Engine, Storage } from '../../storage/storage';
import type { Thread, ThreadStatement } from '../thread';
import { type RefusedStatement, type StatementPosition, type ThreadPosition, type ThreadQuery, ThreadStore } from '../thread-store';
import { expireStatements } from './expire-statements';
import { threadsWithWords } from './search-words';
import { writeStatements } from './write-statements';

/** Statements in one transaction: on the embedded store it holds up the event loop. */
const SLICE = { sqlite: 100, postgres: 1_000 } as const satisfies Record<Engine, number>;

interface ThreadRow {
  account_id: string;
  id: string;
  channel: string;
  first_at: number | null;
  last_at: number;
  statement_count: number;
}

/** The conversations in the tables of the gateway's own storage, with its full-text search. */
export class SqlThreadStore extends ThreadStore {
  readonly engine = 'storage';

  constructor(private readonly storage: Storage) {
    super();
  }

  async write(statements: readonly ThreadStatement[]): Promise<RefusedStatement[]> {
    const refused: RefusedStatement[] = [];
    const size = SLICE[this.storage.engine];
    for (let at = 0; at < statements.length; at += size) {
      if (at > 0) await setImmediate();
      refused.push(...(await this.writeSlice(statements.slice(at, at + size))));
    }
    return refused;
  }

  async list(query: ThreadQuery, limit: number, after?: ThreadPosition): Promise<Thread[]> {
    const conditions = [sql`true`];
    if (query.account !== null) conditions.push(sql`account_id = ${query.account}`);
    if (query.channel !== undefined) conditions.push(sql`channel = ${query.channel}`);
    if (query.sinceMs !== undefined) conditions.push(sql`last_at >= ${query.sinceMs}`);
    if (after) conditions.push(sql`(last_at, account_id, id) < (${after.lastAt}, ${after.accountId}, ${after.id})`);
    if (query.text !== undefined) {
      const found = threadsWithWords(this.storage.engine, query, query.text);
      if (found === undefined) return [];
      conditions.push(sql`(account_id, id) in (${found})`);
    }
    return this.read(sql`${sql.join(conditions, sql` and `)} order by last_at desc, account_id desc, id desc limit ${sql.lit(limit)}`);
  }

  async find(id: string, account: string | null): Promise<Thread | undefined> {
    const ofAccount = account === null ? sql`true` : sql`account_id = ${account}`;
    const [thread] = await this.read(sql`id = ${id} and ${ofAccount} order by last_at desc limit 1`);
    return thread;
  }

  statements({ accountId, id, channel }: Thread, limit: number, after?: StatementPosition): Promise<ThreadStatement[]> {
    return unlessAway(async () => {
      const { rows } = await sql<StatementsTable>`
        select * from statements where account_id = ${accountId} and thread_id = ${id}
          ${after ? sql`and (at, event_id) < (${after.at}, ${after.eventId})` : sql``}
        order by at desc, event_id desc limit ${sql.lit(limit)}`.execute(this.storage.db);
      return rows.map((row) => statementOf(row, channel));
    });
  }

  expire(beforeMs: number): Promise<boolean> {
    return unlessAway(() => expireStatements(this.storage, beforeMs, SLICE[this.storage.engine]));
  }

  probe(): Promise<boolean> {
    return this.storage.probe();
  }

  /** The storage is not ours to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What the database refuses for what it is fails alone; the others of its slice are written. */
  private async writeSlice(statements: readonly ThreadStatement[]): Promise<RefusedStatement[]> {
    try {
      await unlessAway(() => writeStatements(this.storage, statements));
      return [];
    } catch (error) {
      if (isOutage(error)) throw error;
      const [statement] = statements;
      if (statement !== undefined && statements.length === 1) return [{ statement, reason: String(error) }];
    }
    const refused: RefusedStatement[] = [];
    for (const statement of statements) refused.push(...(await this.writeSlice([statement])));
    return refused;
  }

  private read(selection: RawBuilder<unknown>): Promise<Thread[]> {
    return unlessAway(async () => {
      const { rows } = await sql<ThreadRow>`
        select t.*, (select count(*) from statements s where s.account_id = t.account_id and s.thread_id = t.id) as statement_count,
          (select min(at) from statements s where s.account_id = t.account_id and s.thread_id = t.id) as first_at
        from (select account_id, id, channel, last_at from threads where ${selection}) t
        order by t.last_at desc, t.account_id desc, t.id desc`.execute(this.storage.db);
      return rows.map(threadOf);
    });
  }
}

const threadOf = (row: ThreadRow): Thread => ({
  id: row.id,
  channel: row.channel,
  accountId: row.account_id,
  firstAt: row.first_at ?? row.last_at,
  lastAt: row.last_at,
  statementCount: row.statement_count,
});

const statementOf = (row: StatementsTable, channel: string): ThreadStatement => ({
  threadId: row.thread_id,
  channel,
  accountId: row.account_id,
  author: row.author,
  own: row.own === 1,
  text: row.text,
  attachments: JSON.parse(row.attachments) as Attachment[],
  at: row.at,
  eventId: row.event_id,
});

/** To who asks for threads, it is their store that is away. */
async function unlessAway<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOutage(error)) throw error;
    throw new GatewayError('thread_store_unavailable', `The store of threads is away: ${(error as Error).message}`, { cause: error });
  }
}
