import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { sql } from 'kysely';
import { isOutage } from '../core/errors';
import { firstIdAt } from '../core/ids';
import { Metrics } from '../metrics/metrics.service';
import { Storage } from '../storage/storage';
import { SecretBox } from '../secrets/secret-box';
import { type KeptRefusal, type Refusal, type RefusalRow, keep, toRow } from './refusal';
import { RefusalBuffer } from './refusal-buffer';
import { RefusalsConfig } from './refusals.config';

const FLUSH_MS = 500;
const MOST_TOLD = 20;
/** Sealed and written at once. */
const GROUP = 200;
const PRUNE_MS = 60_000;
const DAY_MS = 86_400_000;
const BUFFER_ROWS = 4_000;
const BUFFER_BYTES = 64 * 1_048_576;
const BUFFER_BYTES_PER_SOURCE = 8 * 1_048_576;

/** Lists refused requests. Recording one costs the refused request nothing but memory; the rows are written in groups. */
@Injectable()
export class RefusalsService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RefusalsService.name);
  private readonly buffer: RefusalBuffer;
  /** Written since it was pruned last, by source. */
  private readonly written = new Map<string, { rows: number; bytes: number }>();
  /** Since the last line about them, by code and where it was. */
  private untold = new Map<string, { count: number; requestId: string }>();
  private flushing: Promise<void> | undefined;
  private flushTimer: NodeJS.Timeout | undefined;
  private pruneTimer: NodeJS.Timeout | undefined;
  private isStorageAway = false;

  constructor(
    private readonly storage: Storage,
    private readonly metrics: Metrics,
    private readonly config: RefusalsConfig,
    private readonly box: SecretBox,
  ) {
    this.buffer = new RefusalBuffer({
      rows: BUFFER_ROWS,
      rowsPerSource: Math.min(config.maxRowsPerSource, BUFFER_ROWS / 2),
      bytes: BUFFER_BYTES,
      bytesPerSource: Math.min(config.maxBytesPerSource, BUFFER_BYTES_PER_SOURCE),
    });
  }

  onModuleInit(): void {
    this.pruneTimer = setInterval(() => void this.prune(), PRUNE_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.pruneTimer);
    clearTimeout(this.flushTimer);
    await this.flushing;
    await this.flush();
    clearTimeout(this.flushTimer);
  }

  record(refusal: Refusal): void {
    this.metrics.rejected.inc({ source: refusal.door, code: refusal.code });
    this.countDropped(this.buffer.add(keep(refusal, this.config.maxBodyBytes)));
    const kind = this.kindOf(refusal);
    this.untold.set(kind, { count: (this.untold.get(kind)?.count ?? 0) + 1, requestId: refusal.request.requestId });
    this.schedule();
  }

  /** Keeps the newest `maxRows` of the last `retentionDays`, and of each source what its share is. */
  async prune(): Promise<void> {
    try {
      const { db } = this.storage;
      const oldest = firstIdAt(Date.now() - this.config.retentionDays * DAY_MS);
      const surplus = await db
        .selectFrom('requests')
        .select('id')
        .orderBy('id', 'desc')
        .limit(1)
        .offset(this.config.maxRows)
        .executeTakeFirst();
      const upTo = surplus !== undefined && surplus.id > oldest ? surplus.id : oldest;
      await db.deleteFrom('requests').where('id', '<=', upTo).execute();
      for (const { source } of await db.selectFrom('requests').select('source').distinct().execute()) await this.pruneSource(source);
    } catch (error) {
      this.logger.warn(`Refused requests were not pruned: ${(error as Error).message}`);
    }
  }

  /** Right after a flood has written more than a source's share: the next pruning may be a minute away. */
  private async pruneFull(rows: readonly KeptRefusal[]): Promise<void> {
    for (const { refusal, body } of rows) {
      const sum = this.written.get(refusal.source) ?? { rows: 0, bytes: 0 };
      this.written.set(refusal.source, { rows: sum.rows + 1, bytes: sum.bytes + (body?.length ?? 0) });
    }
    for (const [source, { rows, bytes }] of this.written) {
      if (rows <= this.config.maxRowsPerSource && bytes <= this.config.maxBytesPerSource) continue;
      await this.pruneSource(source);
      this.written.delete(source);
    }
  }

  /** Keeps its newest `maxRowsPerSource`, as far as their bodies have `maxBytesPerSource`. */
  private async pruneSource(source: string): Promise<void> {
    const { maxRowsPerSource, maxBytesPerSource } = this.config;
    const { rows } = await sql<{ id: string }>`
      select id from (
        select id, row_number() over (order by id desc) as place, sum(coalesce(length(body), 0)) over (order by id desc) as bytes
        from requests where source = ${source}
      ) as newest where place > ${maxRowsPerSource} or bytes > ${maxBytesPerSource} order by id desc limit 1`.execute(this.storage.db);
    const [surplus] = rows;
    if (surplus === undefined) return;
    await this.storage.db.deleteFrom('requests').where('source', '=', source).where('id', '<=', surplus.id).execute();
  }

  /** Past the sources that a line has room for it names the route, of which there are few. */
  private kindOf({ door, source, code, request }: Refusal): string {
    const ofSource = `${code} at ${source}`;
    const isNamed = source !== door && (this.untold.size < MOST_TOLD || this.untold.has(ofSource));
    return isNamed ? ofSource : `${code} at ${request.route}`;
  }

  private schedule(): void {
    this.flushTimer ??= setTimeout(() => {
      this.flushTimer = undefined;
      this.flushing ??= this.flush().finally(() => {
        this.flushing = undefined;
        if (this.buffer.size > 0) this.schedule();
      });
    }, FLUSH_MS).unref();
  }

  /** One line a flush, however many were refused. */
  private tell(): void {
    if (this.untold.size === 0) return;
    const sums = [...this.untold].map(([kind, { count, requestId }]) => `${count} ${kind} (such as request ${requestId})`);
    this.untold = new Map();
    this.logger.warn(`Refused: ${sums.join(', ')}`);
  }

  private async flush(): Promise<void> {
    this.tell();
    const left = this.buffer.take();
    if (left.length === 0) return;
    try {
      while (left.length > 0) {
        const group = left.slice(0, GROUP);
        await this.write(group.map((kept) => toRow(kept, this.box)));
        left.splice(0, GROUP);
        await this.pruneFull(group);
      }
      this.isStorageAway = false;
    } catch (error) {
      this.countDropped(this.buffer.restore(left));
      if (!this.isStorageAway) this.logger.warn(`Refused requests are not listed for now: ${(error as Error).message}`);
      this.isStorageAway = true;
    }
  }

  /** A row that cannot be stored does not keep the others out. @throws GatewayError while the storage is away. */
  private async write(rows: readonly RefusalRow[]): Promise<void> {
    try {
      await this.storage.insertMany(this.storage.db, 'requests', rows);
    } catch (error) {
      if (isOutage(error)) throw error;
      const [only, ...more] = rows;
      if (more.length > 0) {
        for (const row of rows) await this.write([row]);
      } else if (only) {
        this.logger.error(`The refused request ${only.id} cannot be listed: ${(error as Error).message}`);
        this.countDropped(1);
      }
    }
  }

  private countDropped(count: number): void {
    if (count > 0) this.metrics.refusalsDropped.inc(count);
  }
}
