import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RawBuilder, sql } from 'kysely';
import { setTimeout as delay } from 'node:timers/promises';
import { firstIdAt } from '../core/ids';
import { Metrics } from '../metrics/metrics.service';
import { RefusalsConfig } from '../refusals/refusals.config';
import { Chore } from '../storage/chore';
import { partitionAt } from '../storage/postgres/partitions';
import type { Schema } from '../storage/schema';
import { Storage } from '../storage/storage';
import { type Deleted, type Slice, deleteEvents, deleteStrayDeliveries } from './expired-rows';
import { ExpiredWeeks } from './expired-weeks';
import { RetentionConfig } from './retention.config';

const DAY_MS = 86_400_000;
const SPEC = { name: 'retention', everyMs: 60_000 };
/** Keys against duplicates: the longest retry of a platform is 7 days. */
const EVENT_KEY_DAYS = 8;
const JOB_DAYS = 30;
/** Of one turn; what is left then is for the next. */
const TURN_MS = 45_000;
/** Between two slices, for others; the embedded store has one writer. */
const PAUSE_MS = { sqlite: 10, postgres: 1 } as const;
const KEYS_AT_ONCE = { sqlite: 500, postgres: 5_000 } as const;
const FIRST_ID = firstIdAt(0);

export type RetentionState = Partial<Record<'events' | 'deliveries', string>>;

/**
 * Deletes what has been kept for long enough, in slices that do not hold up traffic. The ledger's sums stay: they count what was, not
 * what is kept. Dead deliveries are settled, so they go as well.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly chore: Chore<RetentionState>;
  private readonly weeks: ExpiredWeeks;

  constructor(
    private readonly storage: Storage,
    private readonly config: RetentionConfig,
    private readonly refusals: RefusalsConfig,
    private readonly metrics: Metrics,
  ) {
    this.weeks = new ExpiredWeeks(storage);
    this.chore = new Chore<RetentionState>(storage, SPEC, (state, isStopped) => this.expire(state ?? {}, Date.now(), isStopped));
  }

  onApplicationBootstrap(): void {
    this.chore.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.chore.stop();
  }

  /** One turn. @returns where the next one goes on. */
  async expire(from: RetentionState, nowMs: number, isStopped: () => boolean = () => false): Promise<RetentionState> {
    const isOver = this.endOfTurn(isStopped);
    const isPostgres = this.storage.engine === 'postgres';
    const expiredAt = nowMs - this.config.days * DAY_MS;
    await this.deleteKeys(nowMs, isOver);
    // A week that has not passed wholly goes as a whole later, which costs next to nothing.
    const before = isPostgres ? partitionAt('events', expiredAt).from : firstIdAt(expiredAt);
    if (isPostgres) {
      await this.weeks.dropRequests(firstIdAt(nowMs - this.refusals.retentionDays * DAY_MS));
      await this.weeks.drop(before);
    }
    const events = await this.walk(from.events, isOver, (after) => deleteEvents(this.storage, after, before));
    // Not before the last event: a delivery is a stray one only when its event is surely gone.
    const deliveries = await this.walk(from.deliveries, isOver, (after) => deleteStrayDeliveries(this.storage, after, before));
    return { ...(events && { events }), ...(deliveries && { deliveries }) };
  }

  /** @returns where to go on; undefined: from the beginning. */
  private async walk(
    from: string | undefined,
    isOver: () => boolean,
    slice: (after: string) => Promise<Slice>,
  ): Promise<string | undefined> {
    let after: string | undefined = from ?? FIRST_ID;
    while (after !== undefined && !isOver()) {
      const { last, deleted } = await slice(after);
      this.count(deleted);
      after = last;
      if (last !== undefined) await delay(PAUSE_MS[this.storage.engine]);
    }
    return after;
  }

  private async deleteKeys(nowMs: number, isOver: () => boolean): Promise<void> {
    const limit = sql.lit(KEYS_AT_ONCE[this.storage.engine]);
    const keys = sql`delete from event_keys where key in
      (select key from event_keys where created_at < ${nowMs - EVENT_KEY_DAYS * DAY_MS} limit ${limit})`;
    const jobs = sql`delete from jobs where id in (select id from jobs where finished_at < ${nowMs - JOB_DAYS * DAY_MS} limit ${limit})`;
    await this.deleteAll('event_keys', keys, isOver);
    await this.deleteAll('jobs', jobs, isOver);
  }

  private async deleteAll(table: keyof Schema, statement: RawBuilder<unknown>, isOver: () => boolean): Promise<void> {
    const { engine, db } = this.storage;
    for (;;) {
      const count = Number((await statement.execute(db)).numAffectedRows ?? 0);
      this.count({ [table]: count });
      if (count < KEYS_AT_ONCE[engine] || isOver()) return;
      await delay(PAUSE_MS[engine]);
    }
  }

  private endOfTurn(isStopped: () => boolean): () => boolean {
    const endMs = performance.now() + TURN_MS;
    return () => isStopped() || performance.now() > endMs;
  }

  private count(deleted: Deleted): void {
    for (const [table, rows] of Object.entries(deleted)) if (rows > 0) this.metrics.expired.inc({ table }, rows);
  }
}
