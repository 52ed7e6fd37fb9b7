import { type Client, type estypes } from '@elastic/elasticsearch';
import { createHash } from 'node:crypto';
import { GatewayError } from '../../core/errors';
import type { Thread, ThreadStatement } from '../thread';
import {
  MAX_SEARCHED_STATEMENTS,
  type RefusedStatement,
  type StatementPosition,
  type ThreadPosition,
  type ThreadQuery,
  ThreadStore,
} from '../thread-store';
import { type BulkWrite, writeBulk } from './bulk';
import { STATEMENTS, THREADS, ensureIndex } from './indices';

/** Statements in one request; the longest is some 200 KB. */
const SLICE = 500;
const EXPIRED_SLICE = 5_000;

type Filter = estypes.QueryDslQueryContainer;

interface ThreadDocument {
  threadId: string;
  channel: string;
  accountId: string;
  lastAt: number;
}

type StatementDocument = ThreadStatement & { threadKey: string };
type StatementWrite = BulkWrite & { statement?: ThreadStatement };

/** The conversations in two indices of Elasticsearch: what was said, and when something was said last in each thread. */
export class ElasticsearchThreadStore extends ThreadStore {
  readonly engine = 'elasticsearch';
  private isPrepared = false;

  constructor(
    private readonly client: Client,
    private readonly clusterName: string | null,
  ) {
    super();
  }

  async write(statements: readonly ThreadStatement[]): Promise<RefusedStatement[]> {
    const refused: RefusedStatement[] = [];
    for (let at = 0; at < statements.length; at += SLICE) {
      const slice = statements.slice(at, at + SLICE);
      const failures = await this.whenPrepared(() => writeBulk(this.client, writesOf(slice)));
      for (const { write, reason } of failures) if (write.statement) refused.push({ statement: write.statement, reason });
    }
    return refused;
  }

  list(query: ThreadQuery, limit: number, after?: ThreadPosition): Promise<Thread[]> {
    return this.whenPrepared(async () => {
      const filter: Filter[] = scopeOf(query);
      if (query.sinceMs !== undefined) filter.push({ range: { lastAt: { gte: query.sinceMs } } });
      if (query.text !== undefined) filter.push({ ids: { values: await this.threadsWithWords(query, query.text) } });
      return this.threads(filter, limit, after);
    });
  }

  find(id: string, account: string | null): Promise<Thread | undefined> {
    return this.whenPrepared(async () => {
      const filter: Filter[] = [{ term: { threadId: id } }, ...scopeOf({ account, channel: undefined })];
      return (await this.threads(filter, 1))[0];
    });
  }

  statements({ accountId, id }: Thread, limit: number, after?: StatementPosition): Promise<ThreadStatement[]> {
    return this.whenPrepared(async () => {
      const { hits } = await this.client.search<StatementDocument>({
        index: STATEMENTS.alias,
        size: limit,
        query: { bool: { filter: [{ term: { threadKey: keyOf(accountId, id) } }] } },
        sort: [{ at: 'desc' }, { eventId: 'desc' }],
        track_total_hits: false,
        ...(after && { search_after: [after.at, after.eventId] }),
      });
      return hits.hits.flatMap(({ _source }) => (_source ? [withoutKey(_source)] : []));
    });
  }

  expire(beforeMs: number): Promise<boolean> {
    return this.whenPrepared(async () => {
      const more = [await this.deleteBefore(STATEMENTS.alias, 'at', beforeMs), await this.deleteBefore(THREADS.alias, 'lastAt', beforeMs)];
      return more.includes(true);
    });
  }

  /** A fresh look: an index that was deleted meanwhile is made again. */
  async probe(): Promise<boolean> {
    this.isPrepared = false;
    try {
      await this.whenPrepared(() => Promise.resolve());
      return true;
    } catch {
      return false;
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async threads(filter: Filter[], limit: number, after?: ThreadPosition): Promise<Thread[]> {
    const { hits } = await this.client.search<ThreadDocument>({
      index: THREADS.alias,
      size: limit,
      query: { bool: { filter } },
      sort: [{ lastAt: 'desc' }, { accountId: 'desc' }, { threadId: 'desc' }],
      track_total_hits: false,
      ...(after && { search_after: [after.lastAt, after.accountId, after.id] }),
    });
    const found = hits.hits.flatMap(({ _source }) => (_source ? [_source] : []));
    const counts = await this.counts(found.map(({ accountId, threadId }) => keyOf(accountId, threadId)));
    return found.map(({ threadId, channel, accountId, lastAt }) => {
      const { count, firstAt } = counts.get(keyOf(accountId, threadId)) ?? { count: 0, firstAt: lastAt };
      return { id: threadId, channel, accountId, firstAt, lastAt, statementCount: count };
    });
  }

  private async counts(keys: readonly string[]): Promise<Map<string, { count: number; firstAt: number }>> {
    if (keys.length === 0) return new Map();
    const { aggregations } = await this.client.search<unknown, { threads: estypes.AggregationsStringTermsAggregate }>({
      index: STATEMENTS.alias,
      size: 0,
      query: { bool: { filter: [{ terms: { threadKey: [...keys] } }] } },
      aggs: { threads: { terms: { field: 'threadKey', size: keys.length }, aggs: { firstAt: { min: { field: 'at' } } } } },
    });
    const buckets = (aggregations?.threads.buckets ?? []) as { key: string; doc_count: number; firstAt: { value: number } }[];
    return new Map(buckets.map(({ key, doc_count, firstAt }) => [key, { count: doc_count, firstAt: firstAt.value }]));
  }

  private async threadsWithWords(query: ThreadQuery, text: string): Promise<string[]> {
    const { hits } = await this.client.search<Pick<StatementDocument, 'threadKey'>>({
      index: STATEMENTS.alias,
      size: MAX_SEARCHED_STATEMENTS,
      query: { bool: { filter: [{ match: { text: { query: text, operator: 'and' } } }, ...scopeOf(query)] } },
      sort: [{ eventId: 'desc' }],
      _source: ['threadKey'],
      track_total_hits: false,
    });
    return [...new Set(hits.hits.flatMap(({ _source }) => (_source ? [_source.threadKey] : [])))];
  }

  private async deleteBefore(index: string, field: string, beforeMs: number): Promise<boolean> {
    const { deleted } = await this.client.deleteByQuery({
      index,
      query: { range: { [field]: { lt: beforeMs } } },
      max_docs: EXPIRED_SLICE,
      conflicts: 'proceed',
      refresh: true,
    });
    return deleted === EXPIRED_SLICE;
  }

  /** Whatever the server refuses as a whole is no statement's fault, but the settings' or the server's own. */
  private async whenPrepared<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (!this.isPrepared) await this.prepare();
      this.isPrepared = true;
      return await work();
    } catch (error) {
      this.isPrepared = false;
      if (error instanceof GatewayError) throw error;
      throw new GatewayError('thread_store_unavailable', `Elasticsearch is away: ${(error as Error).message.slice(0, 300)}`, {
        cause: error,
      });
    }
  }

  private async prepare(): Promise<void> {
    if (this.clusterName !== null) {
      const { cluster_name: found } = await this.client.info();
      if (found !== this.clusterName) throw new Error(`the cluster is ${found}, not ${this.clusterName} (elasticsearch.clusterName)`);
    }
    await ensureIndex(this.client, STATEMENTS);
    await ensureIndex(this.client, THREADS);
  }
}

/** Ids of Elasticsearch are bounded, and two texts side by side might read as two others. */
const keyOf = (accountId: string, threadId: string): string => createHash('sha256').update(`${accountId}\0${threadId}`).digest('base64url');

/** Statements, and for each of their threads when something was said last: an older time than is there changes nothing. */
function writesOf(statements: readonly ThreadStatement[]): StatementWrite[] {
  const threads = new Map<string, ThreadDocument>();
  const writes = statements.map((statement): StatementWrite => {
    const { accountId, threadId, channel, at } = statement;
    const threadKey = keyOf(accountId, threadId);
    const thread = threads.get(threadKey);
    if (!thread || thread.lastAt < at) threads.set(threadKey, { threadId, channel, accountId, lastAt: at });
    const document: StatementDocument = { ...statement, threadKey };
    return { action: { create: { _index: STATEMENTS.alias, _id: statement.eventId } }, document, statement };
  });
  for (const [id, document] of threads) {
    const version = Math.max(1, document.lastAt);
    writes.push({ action: { index: { _index: THREADS.alias, _id: id, version, version_type: 'external' } }, document });
  }
  return writes;
}

const scopeOf = ({ account, channel }: Pick<ThreadQuery, 'account' | 'channel'>): Filter[] => [
  ...(account === null ? [] : [{ term: { accountId: account } }]),
  ...(channel === undefined ? [] : [{ term: { channel } }]),
];

const withoutKey = ({ threadKey: _, ...statement }: StatementDocument): ThreadStatement => statement;
