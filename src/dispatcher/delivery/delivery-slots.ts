import { Injectable } from '@nestjs/common';
import type { EndpointRecord } from '../registry/endpoint-record';
import { DeliveryConfig } from './delivery.config';
import type { AttemptResult } from './http/attempt';
import { healthOf } from './limits/circuit';
import { Circuits } from './limits/circuits';
import { ExplicitLimits, type Room, isLimited } from './limits/explicit-limits';
import { Places } from './limits/places';

/**
 * Deliveries that may wait in this process for the attempts under way to an endpoint: two groups of the dispatcher's beside what waits
 * already. What comes from the database leaves room for those, else there would soon be more in the database.
 */
const AHEAD = 500;
const AHEAD_FROM_STORAGE = 200;

/** An attempt's place and what it costs. */
export interface HeldPlace {
  accountId: string;
  bytes: number;
}

/**
 * What this process may have in hand. A delivery holds its place from before it is leased until it is settled, so results that
 * cannot be written yet are bounded; its endpoint's slot only until the attempt has ended, since that is what the receiver feels.
 * Times are of `performance.now()`.
 */
@Injectable()
export class DeliverySlots {
  private readonly places: Places;
  private bytes = 0;

  constructor(
    private readonly config: DeliveryConfig,
    private readonly circuits: Circuits,
    readonly limits: ExplicitLimits,
  ) {
    this.places = new Places(config.concurrency);
  }

  /** Places for deliveries to any endpoint. */
  get free(): number {
    return this.bytes < this.config.maxInFlightBytes ? this.places.free : 0;
  }

  get freeBytes(): number {
    return Math.max(0, this.config.maxInFlightBytes - this.bytes);
  }

  /** Whether a new delivery may be begun before it is stored. One with limits of its own is served from the database alone. */
  takeNew(endpoint: EndpointRecord): boolean {
    return !isLimited(endpoint) && this.take(endpoint, AHEAD);
  }

  /** How many of them may be. */
  roomForNew(endpoint: EndpointRecord): number {
    return isLimited(endpoint) || this.free <= 0 ? 0 : this.roomOf(endpoint, performance.now(), AHEAD).count;
  }

  /** Attempts that may be under way to the endpoint at once. */
  mostAttempts(endpoint: EndpointRecord): number {
    return endpoint.maxInFlight ?? this.config.maxInFlightPerEndpoint;
  }

  /**
   * Whether this process may have more of its deliveries in hand than it attempts at once: an endpoint that answers quickly soon takes
   * them, and they need no trip to the database of their own.
   */
  takesMore(endpoint: EndpointRecord): boolean {
    return !isLimited(endpoint) && this.places.isQuick(endpoint.id) && this.isPassable(endpoint);
  }

  /** Whether what waits for the endpoint's turn may still begin: not while its circuit is open. */
  isPassable(endpoint: EndpointRecord): boolean {
    return this.circuits.circuitOf(endpoint.id) === 'closed';
  }

  /** Whether what has taken a slot may begin: its endpoint's circuit may have opened while it was stored or fetched. A probe makes it half-open. */
  mayBegin(endpoint: EndpointRecord): boolean {
    return this.circuits.circuitOf(endpoint.id) !== 'open';
  }

  /** Whether this process serves the endpoint. */
  serves(endpoint: EndpointRecord): boolean {
    return !isLimited(endpoint) || this.limits.isMine(endpoint);
  }

  take(endpoint: EndpointRecord, mostAhead = AHEAD_FROM_STORAGE): boolean {
    const now = performance.now();
    if (this.free <= 0 || this.roomOf(endpoint, now, mostAhead).count <= 0) return false;
    this.places.take(endpoint.id, endpoint.accountId, now);
    if (isLimited(endpoint)) this.limits.take(endpoint, now);
    this.circuits.begin(endpoint, now);
    return true;
  }

  /** Deliveries to the endpoint that may be taken in hand, were there places enough. */
  roomOf(endpoint: EndpointRecord, now: number, mostAhead = AHEAD_FROM_STORAGE): Room {
    const underWay = this.places.underWay(endpoint.id);
    const probe = this.circuits.probeOf(endpoint, underWay, now);
    if (probe && !probe.isPassable) return probe.againInMs > 0 ? { count: 0, againInMs: probe.againInMs } : { count: 0 };
    const most = probe ? 1 : Infinity;
    const own = isLimited(endpoint) ? this.limits.roomOf(endpoint, underWay, now) : { count: Infinity };
    if (own.count <= 0) return own;
    const ahead = this.takesMore(endpoint) ? mostAhead : 0;
    const cap = this.mostAttempts(endpoint) + ahead - underWay;
    if (cap <= 0) return { count: 0 };
    const shared = this.sharedRoom(endpoint);
    // Waits for others' places as well, so it is asked for whenever one is free.
    if (shared <= 0) return { count: 0, againInMs: 0 };
    return { ...own, count: Math.min(most, own.count, cap, shared) };
  }

  addBytes(bytes: number): void {
    this.bytes += bytes;
  }

  /** @param startedAt when its attempt began; undefined where none was made. */
  attemptEnded(endpoint: EndpointRecord, startedAt: number, result: AttemptResult | undefined): void {
    const now = performance.now();
    this.places.ended(endpoint.id, result === undefined ? undefined : now - startedAt);
    this.circuits.ended(endpoint, healthOf(result), startedAt, now);
  }

  /** For what was taken and cannot be attempted; its place is held until it is settled. @returns the account it is held for. */
  attemptMissed(endpointId: string): string {
    const accountId = this.places.accountOf(endpointId);
    this.places.ended(endpointId, undefined);
    this.limits.giveBack(endpointId);
    return accountId;
  }

  settled({ accountId, bytes }: HeldPlace): void {
    this.places.settled(accountId);
    this.bytes -= bytes;
  }

  /** For what was taken and never begun. */
  giveBack(endpointId: string): void {
    this.settled({ accountId: this.attemptMissed(endpointId), bytes: 0 });
  }

  /** How many attempts to each endpoint take longer than they should. */
  overdue(counts: ReadonlyMap<string, number>): void {
    this.places.overdue(counts, performance.now());
  }

  private sharedRoom({ id, accountId }: EndpointRecord): number {
    const room = this.places.roomFor(id, accountId);
    // Bodies that do not come back must not take up all the memory that others need.
    const isTight = this.bytes * 2 > this.config.maxInFlightBytes;
    return isTight && !this.places.isQuick(id) && this.places.underWay(id) > 0 ? 0 : room;
  }
}
