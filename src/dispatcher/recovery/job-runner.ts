import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { isOutage } from '../../core/errors';
import { RegistryVersion } from '../../storage/registry-version';
import { LiveProcesses } from '../delivery/limits/live-processes';
import { JobSlices } from './job-slices';
import { JobsRepository } from './jobs.repository';

const LOOK_MS = 1_000;
const FORGET_EVERY_MS = 3_600_000;
/** A slice that fails so often in a row for another reason than an outage ends its job. */
const MAX_FAILURES = 5;

/**
 * Drives the jobs that are this process's, each at its own pace and one slice at a time in all, so that however many there are the
 * storage has one transaction of theirs. A process that ends or dies leaves its jobs to the next as its last commit left them.
 */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(JobRunner.name);
  private readonly driven = new Map<string, Promise<void>>();
  private readonly stopped = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private slicing: Promise<unknown> = Promise.resolve();
  private nextForgetAt = 0;

  constructor(
    private readonly jobs: JobsRepository,
    private readonly slices: JobSlices,
    private readonly processes: LiveProcesses,
    private readonly version: RegistryVersion,
  ) {}

  onApplicationBootstrap(): void {
    this.wake();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    clearTimeout(this.timer);
    await this.looking;
    await Promise.all(this.driven.values());
  }

  /** Looks for jobs now; else it does so every second. */
  wake(): void {
    clearTimeout(this.timer);
    this.looking = this.looking.then(() => this.look());
  }

  private get isStopped(): boolean {
    return this.stopped.signal.aborted;
  }

  private async look(): Promise<void> {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    try {
      for (const { id } of await this.jobs.open()) {
        if (this.isStopped || this.driven.has(id) || !this.processes.isMine(keyOf(id))) continue;
        this.driven.set(
          id,
          this.drive(id).finally(() => this.driven.delete(id)),
        );
      }
      if (Date.now() >= this.nextForgetAt) {
        this.nextForgetAt = Date.now() + FORGET_EVERY_MS;
        await this.jobs.forgetOld();
      }
    } catch (error) {
      if (!isOutage(error)) this.logger.error('Jobs cannot be looked for', (error as Error).stack);
    }
    if (!this.isStopped) this.timer = setTimeout(() => this.wake(), LOOK_MS);
  }

  /** Until the job has ended, or is another process's. Never rejects. */
  private async drive(id: string): Promise<void> {
    // The process that took the order may have heard of changes of the registry before this one.
    await this.version.changed();
    let dueAtMs = Date.now();
    for (let failures = 0; failures < MAX_FAILURES && !this.isStopped && this.processes.isMine(keyOf(id));) {
      try {
        const next = await this.inTurn(() => this.slices.run(id, dueAtMs));
        if (next === 'ended') return;
        dueAtMs = next.atMs;
        failures = 0;
      } catch (error) {
        failures = await this.failed(id, error, failures);
        dueAtMs = Date.now() + LOOK_MS;
      }
      const waitMs = dueAtMs - Date.now();
      if (waitMs > 0) await delay(waitMs, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }

  /** @returns how often it has failed now; an outage does not count. */
  private async failed(id: string, error: unknown, failures: number): Promise<number> {
    if (isOutage(error)) return failures;
    const { message, stack } = error as Error;
    if (failures + 1 < MAX_FAILURES) {
      this.logger.warn(`A slice of job ${id} failed and is tried again: ${message}`);
      return failures + 1;
    }
    this.logger.error(`Job ${id} has failed`, stack);
    // Where not even that can be written, the next look tries the job again.
    await this.jobs
      .end(undefined, id, 'failed', `It failed ${String(MAX_FAILURES)} times: ${message.slice(0, 500)}`)
      .catch(() => undefined);
    return MAX_FAILURES;
  }

  private inTurn<T>(slice: () => Promise<T>): Promise<T> {
    const mine = this.slicing.then(slice);
    this.slicing = mine.catch(() => undefined);
    return mine;
  }
}

const keyOf = (id: string): string => `job:${id}`;
