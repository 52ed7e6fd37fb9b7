import { Injectable, Logger } from '@nestjs/common';
import { Storage } from '../../storage/storage';
import { type LoadedEvents, loadEvents } from '../load-events';
import type { EndpointRecord } from '../registry/endpoint-record';
import { RegistryService } from '../registry/registry.service';
import { allot } from './allotment';
import { faulty } from './attempter';
import { Backlog } from './backlog';
import type { DeliveryJob } from './delivery-job';
import { DeliveryRunner } from './delivery-runner';
import { type Claimed, type ClaimedDelivery, claimDue } from './due-deliveries';
import { returnLeases } from './leases';

/** Takes due deliveries of the endpoints that are known to have some, as many as may begin, and begins them. */
@Injectable()
export class DueClaimer {
  private readonly logger = new Logger(DueClaimer.name);

  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    private readonly runner: DeliveryRunner,
    private readonly backlog: Backlog,
  ) {}

  async claim(): Promise<void> {
    let claimants = this.claimants();
    if (this.runner.slots.limits.isCountDue) {
      await this.runner.slots.limits.countElsewhere();
      claimants = this.claimants();
    }
    const wanted = this.reserve(claimants);
    if (wanted.size === 0) return;
    const { rows, cut } = await this.fetch(wanted);
    const missing = new Map(wanted);
    for (const row of rows) missing.set(row.endpoint_id, (missing.get(row.endpoint_id) ?? 0) - 1);
    for (const [endpointId, count] of missing) {
      this.giveBack(endpointId, count);
      const isMore = count === 0 || cut.has(endpointId);
      this.backlog.answered(endpointId, isMore);
      this.runner.slots.limits.answered(endpointId, isMore);
    }
    await this.begin(rows);
    this.backlog.roomFreed();
  }

  /** How many deliveries of which endpoints may begin, of those that are known to wait. The others are put by. */
  private claimants(): { endpoint: EndpointRecord; room: number }[] {
    const { slots } = this.runner;
    if (slots.free <= 0) return [];
    const { snapshot } = this.registry;
    const now = performance.now();
    return this.backlog.endpoints().flatMap((endpointId) => {
      const endpoint = snapshot.endpoint(endpointId);
      if (!endpoint?.enabled || !slots.serves(endpoint)) {
        this.backlog.forget(endpointId);
        return [];
      }
      const { count, againInMs } = slots.roomOf(endpoint, now);
      if (count > 0) return [{ endpoint, room: count }];
      if (againInMs !== 0) this.backlog.park(endpointId, againInMs);
      return [];
    });
  }

  /** Shares the free places out; each has its slot from now on. */
  private reserve(claimants: readonly { endpoint: EndpointRecord; room: number }[]): Map<string, number> {
    const { slots } = this.runner;
    const byId = new Map(claimants.map(({ endpoint }) => [endpoint.id, endpoint]));
    const rooms = claimants.map(({ endpoint, room }) => ({ endpointId: endpoint.id, accountId: endpoint.accountId, room }));
    const wanted = new Map<string, number>();
    for (const [endpointId, count] of allot(slots.free, rooms, Math.random())) {
      const endpoint = byId.get(endpointId) as EndpointRecord;
      let taken = 0;
      while (taken < count && slots.take(endpoint)) taken += 1;
      if (taken === 0) continue;
      wanted.set(endpointId, taken);
      this.backlog.asking(endpointId);
    }
    return wanted;
  }

  private async fetch(wanted: ReadonlyMap<string, number>): Promise<Claimed> {
    const nowMs = Date.now();
    const { snapshot } = this.registry;
    const endpoints = [...wanted.keys()].flatMap((id) => snapshot.endpoint(id) ?? []);
    const leaseMs = Math.max(...endpoints.map((endpoint) => this.runner.leaseMs(endpoint)));
    try {
      return await claimDue(this.storage, { wanted, nowMs, leaseUntil: nowMs + leaseMs, maxBytes: this.runner.slots.freeBytes });
    } catch (error) {
      for (const [endpointId, count] of wanted) this.giveBack(endpointId, count);
      throw error;
    }
  }

  /** Each claimed delivery has a slot, which it keeps when it is begun. */
  private async begin(claimed: readonly ClaimedDelivery[]): Promise<void> {
    if (claimed.length === 0) return;
    let jobs = await this.jobsOf(claimed);
    const lost = jobs.filter((job) => !this.isStillServed(job.endpointId));
    if (lost.length > 0) {
      jobs = jobs.filter((job) => this.isStillServed(job.endpointId));
      await this.abandon(lost);
    }
    this.runner.start(jobs);
    this.runner.slots.limits.used(new Set(jobs.map((job) => job.endpointId)), performance.now());
  }

  private async jobsOf(claimed: readonly ClaimedDelivery[]): Promise<DeliveryJob[]> {
    const { events, unreadable } = await this.load(claimed);
    return claimed.flatMap((row) => {
      const of = { deliveryId: row.id, endpointId: row.endpoint_id, attemptCount: row.attempt_count, fanOut: row.fan_out };
      const event = events.get(row.event_id);
      if (event) return [{ ...of, attemptsBefore: row.attempts_before, event }];
      const reason = unreadable.has(row.event_id) ? 'event_unreadable' : 'event_missing';
      this.runner.settleUnattempted(faulty({ ...of, eventId: row.event_id, source: row.source }, reason));
      return [];
    });
  }

  private async load(claimed: readonly ClaimedDelivery[]): Promise<LoadedEvents> {
    try {
      const loaded = await loadEvents(this.storage, [...new Set(claimed.map((row) => row.event_id))]);
      for (const [id, error] of loaded.unreadable) this.logger.error(`Event ${id} cannot be read`, error.stack);
      return loaded;
    } catch (error) {
      await this.abandon(claimed.map((row) => ({ deliveryId: row.id, endpointId: row.endpoint_id })));
      throw error;
    }
  }

  /** The endpoint may have become another process's while its deliveries were fetched. */
  private isStillServed(endpointId: string): boolean {
    const endpoint = this.registry.snapshot.endpoint(endpointId);
    return !endpoint || this.runner.slots.serves(endpoint);
  }

  private async abandon(jobs: readonly Pick<DeliveryJob, 'deliveryId' | 'endpointId'>[]): Promise<void> {
    this.runner.release(jobs.map((job) => ({ id: job.endpointId })));
    const ids = jobs.map((job) => job.deliveryId);
    // Leases that cannot be given back run out.
    await returnLeases(this.storage, ids).catch(() => undefined);
  }

  private giveBack(endpointId: string, count: number): void {
    for (let i = 0; i < count; i++) this.runner.slots.giveBack(endpointId);
  }
}
