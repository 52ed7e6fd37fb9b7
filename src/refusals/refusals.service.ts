import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { isOutage } from '../core/errors';
import { firstIdAt } from '../core/ids';
import { Metrics } from '../metrics/metrics.service';
import { Storage } from '../storage/storage';
import { type Refusal, toRow } from './refusal';
import { RefusalBuffer } from './refusal-buffer';
import { RefusalsConfig } from './refusals.config';

const FLUSH_MS = 500;
const PRUNE_MS = 60_000;
const DAY_MS = 86_400_000;
const BUFFER_ROWS = 2_000;
const BUFFER_BYTES = 16 * 1_048_576;

/** Lists refused requests. Recording one costs the refused request nothing but memory; the rows are written in groups. */
@Injectable()
export class RefusalsService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RefusalsService.name);
  private readonly buffer = new RefusalBuffer(BUFFER_ROWS, BUFFER_BYTES);
  /** Since the last line about them, by door and code: both are names of our own, so there are few. */
  private untold = new Map<string, { count: number; requestId: string }>();
  private flushing: Promise<void> | undefined;
  private flushTimer: NodeJS.Timeout | undefined;
  private pruneTimer: NodeJS.Timeout | undefined;
  private isStorageAway = false;

  constructor(
    private readonly storage: Storage,
    private readonly metrics: Metrics,
    private readonly config: RefusalsConfig,
  ) {}

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
    this.countDropped(this.buffer.add(toRow(refusal, Date.now(), this.config.maxBodyBytes)));
    const kind = `${refusal.door} ${refusal.code}`;
    this.untold.set(kind, { count: (this.untold.get(kind)?.count ?? 0) + 1, requestId: refusal.requestId });
    this.schedule();
  }

  /** Keeps the newest `maxRows` of the last `retentionDays`. */
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
    } catch (error) {
      this.logger.warn(`Refused requests were not pruned: ${(error as Error).message}`);
    }
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
    const rows = this.buffer.take();
    if (rows.length === 0) return;
    try {
      await this.write(rows);
      this.isStorageAway = false;
    } catch (error) {
      this.countDropped(this.buffer.restore(rows));
      if (!this.isStorageAway) this.logger.warn(`Refused requests are not listed for now: ${(error as Error).message}`);
      this.isStorageAway = true;
    }
  }

  /** A row that cannot be stored does not keep the others out. @throws GatewayError while the storage is away. */
  private async write(rows: readonly ReturnType<typeof toRow>[]): Promise<void> {
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
