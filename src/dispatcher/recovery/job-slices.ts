import { Injectable, Logger } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { Metrics } from '../../metrics/metrics.service';
import type { Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { Backlog } from '../delivery/backlog';
import { OvertakenError } from './bulk-change';
import { type JobOrder, type JobRow, orderOf } from './job';
import { JobWork, type Slice } from './job-work';
import { JobsRepository } from './jobs.repository';
import { dueSince, nextSliceAt, sliceSizeOf } from './pace';

/** Rows that one slice looks at, found or not. */
const LOOK_ROWS = 1_000;

type Next = 'ended' | { atMs: number };
type Done = { job: JobRow; slice: Slice } | 'ended';

/** One slice of a job: its changes, its progress and its cursor in one transaction, so that nothing is done twice or left out. */
@Injectable()
export class JobSlices {
  private readonly logger = new Logger(JobSlices.name);

  constructor(
    private readonly storage: Storage,
    private readonly jobs: JobsRepository,
    private readonly work: JobWork,
    private readonly backlog: Backlog,
    private readonly metrics: Metrics,
  ) {}

  /**
   * @param dueAtMs when it was to begin.
   * @returns when the next one may begin.
   */
  async run(id: string, dueAtMs: number): Promise<Next> {
    const nowMs = Date.now();
    const sinceMs = dueSince(dueAtMs, nowMs);
    const done = await this.commit(id, nowMs - sinceMs);
    if (done === 'ended') return 'ended';
    const { job, slice } = done;
    this.tell(job, slice);
    if (slice.cursor === null) return 'ended';
    return { atMs: nextSliceAt(sinceMs, slice.changed, job.rate_per_second) };
  }

  private async commit(id: string, lateMs: number): Promise<Done> {
    try {
      return await this.storage.transaction((trx) => this.advance(trx, id, lateMs));
    } catch (error) {
      if (error instanceof OvertakenError) return this.storage.transaction((trx) => this.advance(trx, id, lateMs));
      throw error;
    }
  }

  private async advance(trx: Transaction<Schema>, id: string, lateMs: number): Promise<Done> {
    const job = await this.jobs.lock(trx, id);
    if (job === undefined) return 'ended';
    if (job.state === 'stopping') return this.end(trx, id, 'stopped');
    const order = orderOf(job);
    const obstacle = await this.obstacleTo(trx, order);
    if (obstacle !== undefined) return this.end(trx, id, 'failed', obstacle);
    const take = sliceSizeOf(job.rate_per_second, lateMs);
    const slice = await this.work.slice(trx, order, job.cursor, { look: LOOK_ROWS, take });
    const { cursor } = slice;
    await this.jobs.advance(trx, id, { examined: job.examined + slice.examined, changed: job.changed + slice.changed, cursor });
    if (cursor === null) await this.jobs.end(trx, id, 'done');
    return { job, slice };
  }

  private async end(trx: Transaction<Schema>, id: string, state: 'stopped' | 'failed', error: string | null = null): Promise<'ended'> {
    await this.jobs.end(trx, id, state, error);
    this.logger.log(`Job ${id} ${state}${error === null ? '' : `: ${error}`}`);
    return 'ended';
  }

  /** The endpoint's row decides: what this process remembers of it may be old. */
  private async obstacleTo(trx: Transaction<Schema>, order: JobOrder): Promise<string | undefined> {
    if (order.kind !== 'replay') return undefined;
    const endpoint = await trx.selectFrom('endpoints').select('enabled').where('id', '=', order.endpointId).executeTakeFirst();
    if (endpoint === undefined) return 'The endpoint has been deleted';
    return endpoint.enabled === 1 ? undefined : 'The endpoint has been disabled; enable it and replay again: what was sent is left alone';
  }

  private tell(job: JobRow, { changed, cursor }: Slice): void {
    if (changed > 0) {
      if (job.kind === 'cancel') this.metrics.cancelled.inc(changed);
      else this.backlog.dueAt(Date.now());
      this.metrics.jobDeliveries.inc({ kind: job.kind }, changed);
    }
    if (cursor === null) this.logger.log(`Job ${job.id} (${job.kind}) is done: ${String(job.changed + changed)} deliveries`);
  }
}
