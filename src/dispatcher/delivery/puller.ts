import { Injectable, Logger } from '@nestjs/common';
import { isOutage } from '../../core/errors';
import { Metrics } from '../../metrics/metrics.service';
import { Storage } from '../../storage/storage';
import { RegistryService } from '../registry/registry.service';
import { Backlog } from './backlog';
import { cancelOpen } from './cancellation';
import { DeliveryConfig } from './delivery.config';
import { DueClaimer } from './due-claimer';
import { openEndpoints } from './due-deliveries';

/** Between two looks, however soon one is asked for. */
const LEAST_LOOK_MS = 50;
/** Of the time, what looking may take up at most: with many thousands of endpoints a look is not cheap. */
const LOOKING_SHARE = 0.1;
/** Between two claims, so that slots that become free one after the other are filled together. */
const LEAST_CLAIM_MS = 2;

/**
 * Fetches due deliveries from the database into free slots, never more: what has no slot stays a row that anybody may take. It looks
 * for endpoints with deliveries every second, when one is known to come due, and asks again at once for those that had more than
 * there was room for. Disabled endpoints are passed over, which freezes their deliveries.
 */
@Injectable()
export class Puller {
  private readonly logger = new Logger(Puller.name);
  private timer: NodeJS.Timeout | undefined;
  private nextLookAt = Infinity;
  private nextClaimAt = Infinity;
  private lastClaimAt = 0;
  private lookedAt = 0;
  private lookGapMs = LEAST_LOOK_MS;
  private running: Promise<void> | undefined;
  private looking: Promise<void> | undefined;
  private isStopped = true;
  private cancelling: Promise<void> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    private readonly claimer: DueClaimer,
    private readonly backlog: Backlog,
    private readonly metrics: Metrics,
    private readonly config: DeliveryConfig,
  ) {}

  start(): void {
    this.isStopped = false;
    this.nextLookAt = Infinity;
    this.backlog.onWork((kind, atMs) => this.wake(kind, atMs));
    this.wake('look', Date.now());
  }

  /** Resolves when nothing is being fetched any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
    await this.looking;
    await this.cancelling;
  }

  private wake(kind: 'claim' | 'look', atMs: number): void {
    if (atMs >= (kind === 'look' ? this.nextLookAt : this.nextClaimAt)) return;
    if (kind === 'look') this.nextLookAt = Math.max(atMs, this.lookedAt + this.lookGapMs);
    else this.nextClaimAt = Math.max(atMs, this.lastClaimAt + LEAST_CLAIM_MS);
    this.arm();
  }

  private arm(): void {
    if (this.isStopped || this.running) return;
    clearTimeout(this.timer);
    const nextAt = Math.min(this.looking ? Infinity : this.nextLookAt, this.nextClaimAt);
    const waitMs = Math.min(this.longestWaitMs, Math.max(0, nextAt - Date.now()));
    this.timer = setTimeout(() => {
      this.running = this.run().finally(() => {
        this.running = undefined;
        this.arm();
      });
    }, waitMs);
  }

  private async run(): Promise<void> {
    if (!this.looking && this.isLookDue(Date.now())) {
      this.looking = this.attempt(() => this.look()).finally(() => {
        this.looking = undefined;
        this.arm();
      });
    }
    await this.attempt(() => this.claim());
  }

  /** Claiming does not wait for looking, which may take long. */
  private async attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!isOutage(error)) this.logger.error('Due deliveries cannot be fetched', (error as Error).stack);
      // Else the next look would find nothing to do with what it cannot read.
      this.nextClaimAt = Infinity;
      this.nextLookAt = Date.now() + this.config.pullIntervalMs;
    }
  }

  /** A next look further away than looks are apart was set before the clock went back. */
  private isLookDue(nowMs: number): boolean {
    return nowMs >= this.nextLookAt || this.nextLookAt > nowMs + this.longestWaitMs;
  }

  private get longestWaitMs(): number {
    return Math.max(this.config.pullIntervalMs, this.lookGapMs);
  }

  private async look(): Promise<void> {
    const startedAt = Date.now();
    // Set before looking: whoever asks for a look from now on gets another.
    this.nextLookAt = startedAt + this.longestWaitMs;
    const snapshot = await this.registry.ensureLoaded();
    const nowhere: string[] = [];
    const open = await openEndpoints(this.storage);
    const tookMs = Math.max(0, Date.now() - startedAt);
    this.lookGapMs = Math.max(LEAST_LOOK_MS, tookMs / LOOKING_SHARE);
    this.lookedAt = Date.now();
    for (const { endpointId, firstDueAt } of open) {
      const endpoint = snapshot.endpoint(endpointId);
      if (!endpoint || endpoint.disabledReason === 'endpoint_gone') nowhere.push(endpointId);
      else if (endpoint.enabled && firstDueAt <= this.lookedAt) this.backlog.found(endpointId);
      else if (endpoint.enabled && firstDueAt < this.lookedAt + this.longestWaitMs) this.backlog.dueLater(endpointId, firstDueAt);
    }
    this.wake('look', this.lookedAt + this.config.pullIntervalMs);
    this.backlog.roomFreed();
    if (nowhere.length > 0) this.cancelling ??= this.cancel(nowhere).finally(() => (this.cancelling = undefined));
  }

  private async claim(): Promise<void> {
    this.nextClaimAt = Infinity;
    this.lastClaimAt = Date.now();
    this.backlog.takeUpParked(this.lastClaimAt);
    await this.claimer.claim();
    this.wake('claim', this.backlog.nextAt);
  }

  /** Beside the pulling, since there may be many; what fails is found again by the next look. */
  private async cancel(endpointIds: readonly string[]): Promise<void> {
    for (const endpointId of endpointIds) {
      try {
        const count = await cancelOpen(this.storage, endpointId, (more) => this.cancelled(more));
        const cancelled = count === 1 ? '1 delivery' : `${count} deliveries`;
        if (count > 0) this.logger.log(`Cancelled ${cancelled} to endpoint ${endpointId}, which is gone`);
      } catch (error) {
        if (this.isStopped) return;
        this.logger.warn(`The deliveries to endpoint ${endpointId} cannot be cancelled yet: ${(error as Error).message}`);
      }
    }
  }

  /** A shutdown does not wait for all of them: the next start, or another process, goes on. */
  private cancelled(count: number): void {
    this.metrics.cancelled.inc(count);
    if (this.isStopped) throw new Error('the gateway is shutting down');
  }
}
