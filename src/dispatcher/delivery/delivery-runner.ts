import { Injectable } from '@nestjs/common';
import type { EndpointRecord } from '../registry/endpoint-record';
import { RegistryService } from '../registry/registry.service';
import type { StoredEvent } from '../stored-event';
import { Admission, type Wanted } from './admission';
import { Attempter } from './attempter';
import { Backlog } from './backlog';
import type { DeliveryJob } from './delivery-job';
import { DeliverySlots, type HeldPlace } from './delivery-slots';
import { LEASE_MARGIN_MS } from './leases';
import { SLOW_MS } from './limits/places';
import type { Outcome } from './outcome';
import { Settler } from './settler';
import { WaitingLines } from './waiting-lines';

interface InHand extends HeldPlace {
  sinceMs: number;
  endpointId: string;
  /** Made before its attempt; what is claimed with more is to be attempted again. */
  attemptCount: number;
  /** When its attempt began, of `performance.now()`; undefined once that has ended. */
  attemptedAt: number | undefined;
}

/** A delivery that has its place and waits for one of its endpoint's attempts to end. */
interface Waiting {
  job: DeliveryJob;
  held: InHand;
}

const OVERDUE_INTERVAL_MS = 250;
/**
 * Who brings more for a quick endpoint is held up while so many wait for it, or while there are not places enough: as long as 200 a second
 * make room, and no longer than a second. A group that no room would be enough for waits for that of an ordinary one.
 */
const SHORT_LINE = 100;
const LARGE_GROUP = 200;
const PATIENCE = { stepMs: 100, leastMoves: 20, timeoutMs: 1_000 };

/** Makes the attempts of this process. Who has reserved a slot must start the job or release the slot. */
@Injectable()
export class DeliveryRunner {
  /** Deliveries that are attempted or wait to be settled, by id. */
  private readonly inHand = new Map<string, InHand>();
  private readonly lines = new WaitingLines<Waiting>();
  private readonly admission = new Admission((endpoint, count) => this.hasRoom(endpoint, count), PATIENCE);
  private isDraining = false;
  private overdueTimer: NodeJS.Timeout | undefined;
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
   * Takes a slot for one delivery to the endpoint, when this process has room for it and none waits before it, or none waits long. Else
   * the delivery is to be stored without a lease, and `stored` told of it then.
   */
  reserve(endpoint: EndpointRecord): boolean {
    const mayPass = !this.backlog.isKnown(endpoint.id) || this.slots.takesMore(endpoint);
    return !this.isDraining && mayPass && this.slots.takeNew(endpoint);
  }

  /** Deliveries to the endpoints were committed without a lease. Of what another process serves, that one finds it. */
  stored(endpoints: Iterable<EndpointRecord>): void {
    for (const endpoint of endpoints) if (this.slots.serves(endpoint)) this.backlog.stored(endpoint.id);
  }

  /**
   * How long a lease on a delivery to the endpoint must last from now by this process's clock, in milliseconds; it is compared with
   * the database's.
   */
  leaseMs(endpoint: EndpointRecord): number {
    return this.attempter.timeoutMsOf(endpoint) + LEASE_MARGIN_MS + this.slots.limits.clockLeadMs;
  }

  /** Resolves when so many deliveries may be reserved, which is to be done in the same turn of the event loop; after a second at the latest. */
  ready(wanted: Wanted): Promise<void> {
    return this.admission.admit(wanted);
  }

  /** Attempts the jobs as soon as their endpoints may be sent more; each has a reserved slot and is leased to BOOT_ID, and that is committed. Never throws. */
  start(jobs: readonly DeliveryJob[]): void {
    const { snapshot } = this.registry;
    const unwanted: DeliveryJob[] = [];
    for (const job of jobs) {
      const endpoint = snapshot.endpoint(job.endpointId);
      const held = this.inHand.get(job.deliveryId);
      if (held) {
        // Its lease ran out and was taken again by ourselves: the attempt under way goes on.
        this.slots.giveBack(job.endpointId);
        // Or its result is written, and we do not know it yet: the next attempt waits until we do, not for the end of the lease.
        if (held.attemptCount !== job.attemptCount) unwanted.push(job);
      } else if (endpoint?.enabled && this.slots.mayBegin(endpoint)) {
        this.begin(job, endpoint);
      } else {
        this.slots.giveBack(job.endpointId);
        unwanted.push(job);
      }
    }
    if (unwanted.length > 0) void this.handBack(unwanted);
  }

  /** Gives back slots, one for each entry, that no job will use. */
  release(endpoints: readonly Pick<EndpointRecord, 'id'>[]): void {
    for (const { id } of endpoints) {
      this.slots.giveBack(id);
      this.backlog.slotFreed(id);
    }
  }

  /** Settles a leased delivery that has a slot and cannot be attempted. */
  settleUnattempted(outcome: Outcome): void {
    const { deliveryId, endpointId, attemptCount } = outcome.delivery;
    // Its lease ran out and was taken again by ourselves: the attempt under way goes on.
    if (this.inHand.has(deliveryId)) return this.slots.giveBack(endpointId);
    const accountId = this.slots.attemptMissed(endpointId);
    this.inHand.set(deliveryId, { sinceMs: Date.now(), endpointId, accountId, attemptCount, bytes: 0, attemptedAt: undefined });
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
    clearInterval(this.overdueTimer);
    for (const endpointId of this.lines.endpoints()) this.giveUp(endpointId);
    if (this.inHand.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadlineMs)));
      await Promise.race([deadline, new Promise<void>((resolve) => (this.emptied = resolve))]);
      clearTimeout(timer);
    }
    await this.settler.close();
    await this.settler.giveBack([...this.inHand.keys()]);
  }

  /** Nothing is held up for an endpoint that may have no more in hand than it is attempted at once. */
  private hasRoom(endpoint: EndpointRecord, count: number): boolean {
    if (this.isDraining || !this.slots.takesMore(endpoint)) return true;
    return this.lines.waitingFor(endpoint.id) < SHORT_LINE && this.slots.roomForNew(endpoint) >= Math.min(count, LARGE_GROUP);
  }

  private begin(job: DeliveryJob, endpoint: EndpointRecord): void {
    const bytes = bytesOf(job.event);
    const { accountId } = endpoint;
    const { attemptCount } = job;
    const held: InHand = { sinceMs: Date.now(), endpointId: endpoint.id, accountId, attemptCount, bytes, attemptedAt: undefined };
    this.slots.addBytes(bytes);
    this.inHand.set(job.deliveryId, held);
    this.overdueTimer ??= setInterval(() => this.noteOverdue(), OVERDUE_INTERVAL_MS).unref();
    if (this.lines.enter(endpoint.id, this.slots.mostAttempts(endpoint), { job, held })) this.attempt(job, endpoint, held);
  }

  private attempt(job: DeliveryJob, endpoint: EndpointRecord, held: InHand): void {
    const startedAt = performance.now();
    held.attemptedAt = startedAt;
    void this.attempter.attempt(job, endpoint).then((outcome) => {
      held.attemptedAt = undefined;
      this.slots.attemptEnded(endpoint, startedAt, outcome.result);
      this.settler.add(outcome);
      this.next(endpoint.id);
      this.backlog.slotFreed(endpoint.id);
    });
  }

  /** The endpoint may have changed while others waited for its turn. */
  private next(endpointId: string): void {
    const endpoint = this.registry.snapshot.endpoint(endpointId);
    if (!endpoint?.enabled || !this.slots.isPassable(endpoint)) this.giveUp(endpointId);
    const waiting = this.lines.leave(endpointId);
    if (!waiting || !endpoint) return;
    this.attempt(waiting.job, endpoint, waiting.held);
    this.admission.moved(endpointId);
  }

  /** What waits for the endpoint goes back to the database. */
  private giveUp(endpointId: string): void {
    const waiting = this.lines.drop(endpointId);
    if (waiting.length === 0) return;
    for (const { job, held } of waiting) {
      this.inHand.delete(job.deliveryId);
      this.slots.addBytes(-held.bytes);
      this.slots.giveBack(endpointId);
      this.admission.moved(endpointId);
    }
    void this.handBack(waiting.map(({ job }) => job));
    if (this.inHand.size === 0) this.emptied?.();
  }

  /** To the database, where they wait until their endpoint may be sent to. */
  private async handBack(jobs: readonly DeliveryJob[]): Promise<void> {
    await this.settler.giveBack(jobs.map((job) => job.deliveryId));
    for (const { endpointId } of jobs) this.backlog.suspect(endpointId);
  }

  /** Nothing waits any longer for an endpoint most of whose attempts do not come back; one that hangs among many is no reason. */
  private noteOverdue(): void {
    const latest = performance.now() - SLOW_MS;
    const attempts = new Map<string, { all: number; late: number }>();
    for (const { endpointId, attemptedAt } of this.inHand.values()) {
      if (attemptedAt === undefined) continue;
      const count = attempts.get(endpointId) ?? { all: 0, late: 0 };
      count.all += 1;
      if (attemptedAt < latest) count.late += 1;
      attempts.set(endpointId, count);
    }
    const late = new Map<string, number>();
    for (const [endpointId, count] of attempts) {
      if (count.late > 0) late.set(endpointId, count.late);
      if (count.late > 0 && count.late * 2 >= count.all) this.giveUp(endpointId);
    }
    this.slots.overdue(late);
  }

  private settled(outcomes: readonly Outcome[]): void {
    const nowMs = Date.now();
    for (const { delivery, verdict } of outcomes) {
      const held = this.inHand.get(delivery.deliveryId);
      if (held) this.slots.settled(held);
      this.inHand.delete(delivery.deliveryId);
      this.admission.moved(delivery.endpointId);
      if (verdict.kind === 'waiting') this.backlog.dueLater(delivery.endpointId, nowMs + verdict.delayMs);
    }
    this.backlog.roomFreed();
    if (this.inHand.size === 0) this.emptied?.();
  }
}

/** The body that is sent is a copy of the data. */
const bytesOf = (event: StoredEvent): number => event.body.length + event.data.length;
