import { Injectable, Logger } from '@nestjs/common';
import { isOutage } from '../../core/errors';
import { Metrics } from '../../metrics/metrics.service';
import { Storage } from '../../storage/storage';
import { RegistryService } from '../registry/registry.service';
import { allot } from './allotment';
import { faulty } from './attempter';
import { Backlog } from './backlog';
import { cancelOpen } from './cancellation';
import type { DeliveryJob } from './delivery-job';
import { DeliveryRunner } from './delivery-runner';
import { DeliveryConfig } from './delivery.config';
import { type ClaimedDelivery, claimDue, loadEvents, openEndpoints } from './due-deliveries';
import { returnLeases } from './leases';

/** Between two looks, however soon something is due. */
const LEAST_LOOK_MS = 50;
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
  private running: Promise<void> | undefined;
  private isStopped = true;
  private cancelling: Promise<void> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    private readonly runner: DeliveryRunner,
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
    await this.cancelling;
  }

  private wake(kind: 'claim' | 'look', atMs: number): void {
    if (atMs >= (kind === 'look' ? this.nextLookAt : this.nextClaimAt)) return;
    if (kind === 'look') this.nextLookAt = atMs;
    else this.nextClaimAt = Math.max(atMs, this.lastClaimAt + LEAST_CLAIM_MS);
    this.arm();
  }

  private arm(): void {
    if (this.isStopped || this.running) return;
    clearTimeout(this.timer);
    const waitMs = Math.min(this.longestWaitMs, Math.max(0, Math.min(this.nextLookAt, this.nextClaimAt) - Date.now()));
    this.timer = setTimeout(() => {
      this.running = this.run().finally(() => {
        this.running = undefined;
        this.arm();
      });
    }, waitMs);
  }

  private async run(): Promise<void> {
    try {
      if (this.isLookDue(Date.now())) await this.look();
      await this.claim();
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
    return Math.max(this.config.pullIntervalMs, LEAST_LOOK_MS);
  }

  private async look(): Promise<void> {
    this.nextLookAt = Date.now() + this.config.pullIntervalMs;
    const snapshot = await this.registry.ensureLoaded();
    const nowhere: string[] = [];
    for (const { endpointId, firstDueAt } of await openEndpoints(this.storage)) {
      const endpoint = snapshot.endpoint(endpointId);
      if (!endpoint || endpoint.disabledReason === 'endpoint_gone') nowhere.push(endpointId);
      else if (endpoint.enabled && firstDueAt <= Date.now()) this.backlog.found(endpointId);
      else if (endpoint.enabled) this.nextLookAt = Math.max(Date.now() + LEAST_LOOK_MS, Math.min(this.nextLookAt, firstDueAt));
    }
    if (nowhere.length > 0) this.cancelling ??= this.cancel(nowhere).finally(() => (this.cancelling = undefined));
  }

  private async claim(): Promise<void> {
    this.nextClaimAt = Infinity;
    const wanted = this.wanted();
    if (wanted.size === 0) return;
    this.lastClaimAt = Date.now();
    for (const [endpointId, count] of wanted) {
      this.backlog.asking(endpointId);
      for (let i = 0; i < count; i++) this.runner.slots.take(endpointId);
    }
    const claimed = await this.fetch(wanted);
    const missing = new Map(wanted);
    for (const row of claimed) missing.set(row.endpoint_id, (missing.get(row.endpoint_id) ?? 0) - 1);
    for (const [endpointId, count] of missing) {
      for (let i = 0; i < count; i++) this.runner.slots.giveBack(endpointId);
      this.backlog.answered(endpointId, count === 0);
    }
    await this.begin(claimed);
    this.backlog.roomFreed();
  }

  /** How many deliveries of which endpoints there is room for, of those that are known to wait. */
  private wanted(): Map<string, number> {
    const { slots } = this.runner;
    const { snapshot } = this.registry;
    const claimants = this.backlog.endpoints().flatMap((endpointId) => {
      const endpoint = snapshot.endpoint(endpointId);
      if (endpoint?.enabled) return [{ endpointId, accountId: endpoint.accountId, room: slots.roomOf(endpointId) }];
      this.backlog.forget(endpointId);
      return [];
    });
    return allot(slots.free, claimants, Math.random());
  }

  private async fetch(wanted: ReadonlyMap<string, number>): Promise<ClaimedDelivery[]> {
    const nowMs = Date.now();
    const { snapshot } = this.registry;
    const endpoints = [...wanted.keys()].flatMap((id) => snapshot.endpoint(id) ?? []);
    const leaseMs = Math.max(...endpoints.map((endpoint) => this.runner.leaseMs(endpoint)));
    try {
      return await claimDue(this.storage, { wanted, nowMs, leaseUntil: nowMs + leaseMs, maxBytes: this.runner.slots.freeBytes });
    } catch (error) {
      for (const [endpointId, count] of wanted) for (let i = 0; i < count; i++) this.runner.slots.giveBack(endpointId);
      throw error;
    }
  }

  /** Each claimed delivery has a slot, which it keeps when it is begun. */
  private async begin(claimed: readonly ClaimedDelivery[]): Promise<void> {
    if (claimed.length === 0) return;
    const jobs: DeliveryJob[] = [];
    try {
      const events = await loadEvents(this.storage, new Set(claimed.map((row) => row.event_id)));
      for (const row of claimed) {
        const of = { deliveryId: row.id, endpointId: row.endpoint_id, attemptCount: row.attempt_count, fanOut: row.fan_out };
        const { attempts_before: attemptsBefore } = row;
        const event = events.get(row.event_id);
        if (event) jobs.push({ ...of, attemptsBefore, event });
        else this.runner.settleUnattempted(faulty({ ...of, eventId: row.event_id, source: row.source }, 'event_missing'));
      }
    } catch (error) {
      this.runner.release(claimed.map((row) => ({ id: row.endpoint_id })));
      await returnLeases(
        this.storage,
        claimed.map((row) => row.id),
      ).catch(() => undefined);
      throw error;
    }
    this.runner.start(jobs);
  }

  /** Beside the pulling, since there may be many; what fails is found again by the next look. */
  private async cancel(endpointIds: readonly string[]): Promise<void> {
    for (const endpointId of endpointIds) {
      try {
        const count = await cancelOpen(this.storage, endpointId, (more) => this.metrics.cancelled.inc(more));
        const cancelled = count === 1 ? '1 delivery' : `${count} deliveries`;
        if (count > 0) this.logger.log(`Cancelled ${cancelled} to endpoint ${endpointId}, which is gone`);
      } catch (error) {
        this.logger.warn(`The deliveries to endpoint ${endpointId} cannot be cancelled yet: ${(error as Error).message}`);
      }
    }
  }
}
