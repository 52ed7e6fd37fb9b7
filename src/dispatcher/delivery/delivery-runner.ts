import { Injectable } from '@nestjs/common';
import type { EndpointRecord } from '../registry/endpoint-record';
import { RegistryService } from '../registry/registry.service';
import type { StoredEvent } from '../stored-event';
import { Attempter } from './attempter';
import { Backlog } from './backlog';
import type { DeliveryJob } from './delivery-job';
import { DeliverySlots } from './delivery-slots';
import { LEASE_MARGIN_MS } from './leases';
import type { Outcome } from './outcome';
import { Settler } from './settler';

interface InHand {
  sinceMs: number;
  bytes: number;
}

/** Makes the attempts of this process. Who has reserved a slot must start the job or release the slot. */
@Injectable()
export class DeliveryRunner {
  /** Deliveries that are attempted or wait to be settled, by id. */
  private readonly inHand = new Map<string, InHand>();
  private isDraining = false;
  private emptied: (() => void) | undefined;

  constructor(
    readonly slots: DeliverySlots,
    private readonly backlog: Backlog,
    private readonly attempter: Attempter,
    private readonly settler: Settler,
    private readonly registry: RegistryService,
  ) {
    settler.onSettled((outcomes) => this.settled(outcomes));
  }

  /**
   * Takes a slot for one delivery to the endpoint, when this process has room for it and none waits before it. Else the delivery is
   * to be stored without a lease; it is looked for soon.
   */
  reserve(endpoint: EndpointRecord): boolean {
    if (!this.isDraining && !this.backlog.isKnown(endpoint.id) && this.slots.take(endpoint.id)) return true;
    this.backlog.suspect(endpoint.id);
    return false;
  }

  /** How long a lease on a delivery to the endpoint must last from now, in milliseconds. */
  leaseMs(endpoint: EndpointRecord): number {
    return this.attempter.timeoutMsOf(endpoint) + LEASE_MARGIN_MS;
  }

  /** Attempts the jobs at once; each has a reserved slot and is leased to BOOT_ID, and that is committed. Never throws. */
  start(jobs: readonly DeliveryJob[]): void {
    const { snapshot } = this.registry;
    const unwanted: string[] = [];
    for (const job of jobs) {
      const endpoint = snapshot.endpoint(job.endpointId);
      if (this.inHand.has(job.deliveryId)) {
        // Its lease ran out and was taken again by ourselves: the attempt under way goes on.
        this.slots.giveBack(job.endpointId);
      } else if (endpoint?.enabled) {
        this.begin(job, endpoint);
      } else {
        this.slots.giveBack(job.endpointId);
        unwanted.push(job.deliveryId);
      }
    }
    if (unwanted.length > 0) void this.settler.giveBack(unwanted);
  }

  /** Gives back slots, one for each entry, that no job will use. */
  release(endpoints: readonly Pick<EndpointRecord, 'id'>[]): void {
    for (const endpoint of endpoints) this.slots.giveBack(endpoint.id);
    this.backlog.roomFreed();
  }

  /** Settles a leased delivery that has a slot and cannot be attempted. */
  settleUnattempted(outcome: Outcome): void {
    this.inHand.set(outcome.delivery.deliveryId, { sinceMs: Date.now(), bytes: 0 });
    this.slots.attemptEnded(outcome.delivery.endpointId);
    this.settler.add(outcome);
  }

  /** Ids of deliveries that have been in hand since before that moment. */
  inHandSince(beforeMs: number): string[] {
    return [...this.inHand].filter(([, { sinceMs }]) => sinceMs < beforeMs).map(([id]) => id);
  }

  /**
   * Takes nothing new and waits for what is in hand. What is not done by then is given back: it is attempted again, by whoever is
   * there, rather than after its lease.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.isDraining = true;
    if (this.inHand.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadlineMs)));
      await Promise.race([deadline, new Promise<void>((resolve) => (this.emptied = resolve))]);
      clearTimeout(timer);
    }
    await this.settler.close();
    await this.settler.giveBack([...this.inHand.keys()]);
  }

  private begin(job: DeliveryJob, endpoint: EndpointRecord): void {
    const bytes = bytesOf(job.event);
    this.slots.addBytes(bytes);
    this.inHand.set(job.deliveryId, { sinceMs: Date.now(), bytes });
    void this.attempter.attempt(job, endpoint).then((outcome) => {
      this.slots.attemptEnded(job.endpointId);
      this.settler.add(outcome);
      this.backlog.roomFreed();
    });
  }

  private settled(outcomes: readonly Outcome[]): void {
    const nowMs = Date.now();
    let nextDueAt = Infinity;
    for (const { delivery, verdict } of outcomes) {
      this.slots.settled(this.inHand.get(delivery.deliveryId)?.bytes ?? 0);
      this.inHand.delete(delivery.deliveryId);
      if (verdict.kind === 'waiting') nextDueAt = Math.min(nextDueAt, nowMs + verdict.delayMs);
    }
    if (nextDueAt < Infinity) this.backlog.dueAt(nextDueAt);
    this.backlog.roomFreed();
    if (this.inHand.size === 0) this.emptied?.();
  }
}

/** The body that is sent is a copy of the data. */
const bytesOf = (event: StoredEvent): number => event.body.length + event.data.length;
