import { Injectable, Logger } from '@nestjs/common';
import { isOutage } from '../../core/errors';
import { Metrics } from '../../metrics/metrics.service';
import { Storage } from '../../storage/storage';
import { changeDeliveries } from '../ledger-delta';
import { OperationalEvents } from '../operational/operational-events';
import { EndpointHealth } from './endpoint-health';
import { returnLeases } from './leases';
import { type Outcome, type SettledColumns, attemptRow, columnsOf, deadOf } from './outcome';
import { isSingle, settleSingles } from './settle-singles';
import { settle } from './settle-statement';

const MAX_GROUP = 200;
const OUTAGE_RETRY_MS = 500;

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
  private settled: (outcomes: readonly Outcome[]) => void = () => undefined;

  constructor(
    private readonly storage: Storage,
    private readonly health: EndpointHealth,
    private readonly metrics: Metrics,
    private readonly operational: OperationalEvents,
  ) {}

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
    const singles = group.filter(isSingle);
    const others = group.filter((outcome) => !isSingle(outcome));
    const left = singles.length > 0 ? await this.writeUntilDone(singles, (outcomes) => settleSingles(this.storage, outcomes), 'try') : [];
    const shared = [...others, ...left];
    if (shared.length > 0) await this.writeUntilDone(shared, (outcomes) => this.writeShared(outcomes), 'last');
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
        if (!isOutage(error)) return this.splitOrDrop(group, write, round, error);
        if (!this.isStorageAway) this.logger.warn('Results of deliveries wait for the storage to be back');
        this.isStorageAway = true;
      }
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_RETRY_MS));
    }
    return [];
  }

  /** One result that cannot be written must not hold the others. */
  private async splitOrDrop(group: readonly Outcome[], write: Write, round: 'try' | 'last', error: unknown): Promise<Outcome[]> {
    const left: Outcome[] = [];
    if (group.length > 1) {
      for (const outcome of group) left.push(...(await this.writeUntilDone([outcome], write, round)));
      return left;
    }
    const [outcome] = group;
    // The lease runs out, and the delivery is attempted again.
    this.logger.error(`The result of delivery ${outcome?.delivery.deliveryId} cannot be written`, (error as Error).stack);
    this.settled(group);
    return left;
  }

  /** @returns the ids of the deliveries that were this boot's to settle. */
  private async writeShared(group: readonly Outcome[]): Promise<Set<string>> {
    const nowMs = Date.now();
    const rows = new Map(group.map((outcome) => [outcome.delivery.deliveryId, columnsOf(outcome, nowMs)]));
    // Whatever was known of it when it was begun: its event may have got another delivery since.
    const refs = group.map(({ delivery }) => ({ ...delivery, id: delivery.deliveryId, fanOut: Math.max(2, delivery.fanOut) }));
    return this.storage.transaction(async (trx) => {
      let written = new Set<string>();
      await changeDeliveries(this.storage, trx, refs, async () => {
        written = await settle(trx, this.storage.engine, [...rows.values()]);
        const ours = refs.filter((ref) => written.has(ref.id));
        return ours.map((delivery) => ({ delivery, from: 'waiting', to: (rows.get(delivery.id) as SettledColumns).status }));
      });
      const ours = group.filter((outcome) => written.has(outcome.delivery.deliveryId));
      await this.storage.insertMany(trx, 'attempts', ours.flatMap(attemptRow));
      const dead = deadOf(ours);
      if (dead.length > 0) await this.operational.bookDead(trx, dead);
      return written;
    });
  }

  private finish(group: readonly Outcome[], written: ReadonlySet<string>): void {
    const ours = group.filter((outcome) => written.has(outcome.delivery.deliveryId));
    this.count(ours, group.length - ours.length);
    this.tellDead(ours);
    this.settled(group);
    this.health.note(ours);
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
