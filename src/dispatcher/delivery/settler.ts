import { Injectable, Logger } from '@nestjs/common';
import { isOutage } from '../../core/errors';
import { Metrics } from '../../metrics/metrics.service';
import { Storage } from '../../storage/storage';
import { FollowUps } from '../operational/follow-ups';
import { OperationalEvents } from '../operational/operational-events';
import { EndpointHealth } from './endpoint-health';
import { returnLeases } from './leases';
import { type Outcome, deadOf } from './outcome';
import { type Told, settleShared } from './settle-shared';
import { isSingle, settleSingles } from './settle-singles';

const MAX_GROUP = 200;
const OUTAGE_RETRY_MS = 500;
/** Between two tries of a result that cannot be written; doubles up to the longest. */
const FIRST_PUT_BY_MS = 1_000;
const LONGEST_PUT_BY_MS = 60_000;

type Write = (outcomes: readonly Outcome[]) => Promise<Set<string>>;

/**
 * Writes results in groups, one at a time: what comes in while one is written is the next, so groups grow with the load and nothing
 * waits when there is none. A group takes one statement (a short transaction on SQLite), and a transaction more for those whose events
 * have several deliveries and for those that are given up.
 */
@Injectable()
export class Settler {
  private readonly logger = new Logger(Settler.name);
  private waiting: Outcome[] = [];
  private isWriting = false;
  private isScheduled = false;
  private isClosed = false;
  private isStorageAway = false;
  /** Results that are kept although they cannot be written, and when each is tried again. */
  private readonly putByFor = new Map<Outcome, number>();
  private readonly told: Told;
  private readonly writeWithoutAttempts: Write = (outcomes) => settleShared(this.storage, this.told, outcomes, 'attempts');
  private settled: (outcomes: readonly Outcome[]) => void = () => undefined;

  constructor(
    private readonly storage: Storage,
    private readonly health: EndpointHealth,
    private readonly metrics: Metrics,
    operational: OperationalEvents,
    private readonly followUps: FollowUps,
  ) {
    this.told = { operational, followUps };
  }

  /** Called with outcomes that are off this process's hands: written, or dropped because another process has the delivery. */
  onSettled(listener: (outcomes: readonly Outcome[]) => void): void {
    this.settled = listener;
  }

  /** Kept until it is written, however long the storage is away; how many there are is bounded by the deliveries' places. */
  add(outcome: Outcome): void {
    if (this.isClosed) return;
    this.waiting.push(outcome);
    this.schedule();
  }

  /** For leased deliveries that are not attempted. Never rejects: a lease that cannot be given back runs out. */
  async giveBack(deliveryIds: readonly string[]): Promise<void> {
    try {
      await returnLeases(this.storage, deliveryIds);
    } catch (error) {
      this.logger.warn(`${deliveryIds.length} leases on deliveries could not be given back: ${(error as Error).message}`);
    }
  }

  /** What is not written by now is left to who takes the deliveries over. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.waiting = [];
    await this.health.flushed();
  }

  /** All that come in during one turn of the event loop go together. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.startWrites();
    });
  }

  private startWrites(): void {
    if (this.isWriting || this.waiting.length === 0) return;
    this.isWriting = true;
    void this.writeGroup(this.waiting.splice(0, MAX_GROUP)).finally(() => {
      this.isWriting = false;
      if (this.waiting.length > 0) this.schedule();
    });
  }

  /** Singles go in one statement; those of them that are none any more, and all others, go by a transaction that locks their events. */
  private async writeGroup(group: readonly Outcome[]): Promise<void> {
    const isAlone = (outcome: Outcome): boolean => isSingle(outcome) && !this.followUps.concern(outcome.delivery.endpointId);
    const singles = group.filter(isAlone);
    const others = group.filter((outcome) => !isAlone(outcome));
    const left = singles.length > 0 ? await this.writeUntilDone(singles, (outcomes) => settleSingles(this.storage, outcomes), 'try') : [];
    const shared = [...others, ...left];
    if (shared.length > 0) await this.writeUntilDone(shared, (outcomes) => settleShared(this.storage, this.told, outcomes), 'last');
  }

  /** @param round after `try` those that were not written are to be tried otherwise; after `last` they are another process's. */
  private async writeUntilDone(group: readonly Outcome[], write: Write, round: 'try' | 'last'): Promise<Outcome[]> {
    while (!this.isClosed) {
      try {
        const written = await write(group);
        this.isStorageAway = false;
        const left = round === 'last' ? [] : group.filter(({ delivery }) => !written.has(delivery.deliveryId));
        this.finish(left.length === 0 ? group : group.filter((outcome) => !left.includes(outcome)), written);
        return left;
      } catch (error) {
        if (!isOutage(error)) return this.splitOrReduce(group, write, round, error);
        if (!this.isStorageAway) this.logger.warn('Results of deliveries wait for the storage to be back');
        this.isStorageAway = true;
      }
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_RETRY_MS));
    }
    return [];
  }

  /** One result that cannot be written must not hold the others. Alone, it is written without its attempt's row. */
  private async splitOrReduce(group: readonly Outcome[], write: Write, round: 'try' | 'last', error: unknown): Promise<Outcome[]> {
    const [first] = group;
    if (group.length === 1 && first !== undefined) {
      if (write === this.writeWithoutAttempts) this.putBy(first, error);
      else await this.reduce(first, error);
      return [];
    }
    const left: Outcome[] = [];
    for (const outcome of group) left.push(...(await this.writeUntilDone([outcome], write, round)));
    return left;
  }

  private async reduce(outcome: Outcome, error: unknown): Promise<void> {
    if (!this.putByFor.has(outcome)) {
      const text = `The attempt of delivery ${outcome.delivery.deliveryId} cannot be recorded, its result is written without it`;
      this.logger.error(text, (error as Error).stack);
    }
    await this.writeUntilDone([outcome], this.writeWithoutAttempts, 'last');
  }

  /**
   * Its row itself refuses to change, or what is to be told of it cannot be stored. Given up, the delivery would be sent again at the end of each lease, for ever: it stays in hand,
   * where it can be seen, and is tried again now and then.
   */
  private putBy(outcome: Outcome, error: unknown): void {
    const delayMs = this.putByFor.get(outcome) ?? FIRST_PUT_BY_MS;
    if (!this.putByFor.has(outcome)) {
      this.logger.error(`The result of delivery ${outcome.delivery.deliveryId} cannot be written, it is kept`, (error as Error).stack);
    }
    this.putByFor.set(outcome, Math.min(LONGEST_PUT_BY_MS, 2 * delayMs));
    this.metrics.unwritten.set(this.putByFor.size);
    setTimeout(() => this.add(outcome), delayMs).unref();
  }

  private finish(group: readonly Outcome[], written: ReadonlySet<string>): void {
    const ours = group.filter((outcome) => written.has(outcome.delivery.deliveryId));
    this.count(ours, group.length - ours.length);
    this.tellDead(ours);
    this.settled(group);
    this.health.note(ours);
    this.forget(group);
  }

  private forget(group: readonly Outcome[]): void {
    if (this.putByFor.size === 0) return;
    for (const outcome of group) this.putByFor.delete(outcome);
    this.metrics.unwritten.set(this.putByFor.size);
  }

  /** One line a group, however many there are. */
  private tellDead(ours: readonly Outcome[]): void {
    const dead = deadOf(ours);
    const [first] = dead;
    if (first === undefined) return;
    const one = `delivery ${first.deliveryId} of event ${first.eventId} to endpoint ${first.endpointId}, whose last code is ${first.code}`;
    this.logger.warn(dead.length === 1 ? `Dead: ${one}` : `Dead: ${dead.length} deliveries, among them ${one}`);
  }

  private count(ours: readonly Outcome[], lost: number): void {
    const { metrics } = this;
    const counts = { delivered: 0, waiting: 0, gone: 0 };
    for (const { verdict } of ours) {
      if (verdict.kind === 'dead') metrics.dead.inc({ class: verdict.deadClass });
      else counts[verdict.kind] += 1;
    }
    if (counts.delivered > 0) metrics.delivered.inc(counts.delivered);
    if (counts.waiting > 0) metrics.retried.inc(counts.waiting);
    if (counts.gone > 0) metrics.cancelled.inc(counts.gone);
    if (lost > 0) metrics.fenced.inc(lost);
  }
}
