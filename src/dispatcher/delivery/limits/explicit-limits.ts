import { Injectable } from '@nestjs/common';
import type { EndpointRecord } from '../../registry/endpoint-record';
import { Storage } from '../../../storage/storage';
import { LiveProcesses } from './live-processes';
import { leasedElsewhere } from './leased-elsewhere';
import { TokenBucket } from './token-bucket';

/** Between two looks at what former owners still have in hand. */
const RECOUNT_MS = 250;
/** What is remembered of an endpoint that gets no deliveries. */
const IDLE_MS = 600_000;

interface State {
  bucket: TokenBucket | undefined;
  /** Of the bucket: as of which owners. */
  filledFor: string;
  /** Attempts that other processes may still have under way. */
  elsewhere: number;
  /** As of which owners and which limit that was counted. */
  countedFor: string;
  countedAt: number;
  usedAt: number;
}

/** How many attempts may begin now. With none: when to ask again, 0 for whenever a place is free, undefined for when an attempt to the endpoint has ended. */
export interface Room {
  count: number;
  againInMs?: number;
}

/** Has a limit that holds across processes: one of them owns it, and serves it from the database alone. */
export const isLimited = (endpoint: EndpointRecord): boolean => endpoint.maxInFlight !== null || endpoint.ratePerSecond !== null;

/** `maxInFlight` and `ratePerSecond`, at the process that owns the endpoint. */
@Injectable()
export class ExplicitLimits {
  private readonly states = new Map<string, State>();
  private uncounted = new Map<string, EndpointRecord>();
  private prunedAt = 0;

  constructor(
    private readonly processes: LiveProcesses,
    private readonly storage: Storage,
  ) {}

  isMine(endpoint: EndpointRecord): boolean {
    return this.processes.isMine(endpoint.id);
  }

  /** By how much the clock that leases go by is ahead of this process's. */
  get clockLeadMs(): number {
    return this.processes.databaseNowMs - Date.now();
  }

  /** @param underWay this process's attempts. */
  roomOf(endpoint: EndpointRecord, underWay: number, now: number): Room {
    if (!this.isMine(endpoint)) return { count: 0 };
    const state = this.stateOf(endpoint, now);
    let free = Infinity;
    if (endpoint.maxInFlight !== null) {
      const isCounted = state.countedFor === this.mark(endpoint);
      if (!isCounted || (state.elsewhere > 0 && now - state.countedAt >= RECOUNT_MS)) this.uncounted.set(endpoint.id, endpoint);
      if (!isCounted) return { count: 0, againInMs: 0 };
      free = endpoint.maxInFlight - underWay - state.elsewhere;
      if (free <= 0) return state.elsewhere > 0 ? { count: 0, againInMs: RECOUNT_MS } : { count: 0 };
    }
    if (!state.bucket) return { count: free };
    const againInMs = state.bucket.readyInMs(now);
    return againInMs > 0 ? { count: 0, againInMs } : { count: Math.min(free, state.bucket.available(now)) };
  }

  take(endpoint: EndpointRecord, now: number): void {
    this.states.get(endpoint.id)?.bucket?.take(now);
  }

  /** What was taken for the endpoints begins now. */
  used(endpointIds: Iterable<string>, now: number): void {
    for (const id of endpointIds) this.states.get(id)?.bucket?.used(now);
  }

  /** Whether there was more than was taken. */
  answered(endpointId: string, isMore: boolean): void {
    const bucket = this.states.get(endpointId)?.bucket;
    if (bucket) bucket.isAwaited = isMore;
  }

  giveBack(endpointId: string): void {
    this.states.get(endpointId)?.bucket?.giveBack();
  }

  /** Whether `countElsewhere` has anything to do. */
  get isCountDue(): boolean {
    return this.uncounted.size > 0;
  }

  /** After endpoints changed hands, the attempts of their former owners count until they have ended. */
  async countElsewhere(): Promise<void> {
    const { uncounted } = this;
    this.uncounted = new Map();
    const marks = new Map([...uncounted].map(([id, endpoint]) => [id, this.mark(endpoint)]));
    const counts = await leasedElsewhere(this.storage, [...uncounted.keys()]);
    for (const [id, mark] of marks) {
      const state = this.states.get(id);
      if (!state) continue;
      state.elsewhere = counts.get(id) ?? 0;
      state.countedFor = mark;
      state.countedAt = performance.now();
    }
  }

  /** A limit that is new to the others counts what they began without it. */
  private mark(endpoint: EndpointRecord): string {
    return `${this.processes.epoch.name} ${endpoint.maxInFlight}`;
  }

  private stateOf(endpoint: EndpointRecord, now: number): State {
    this.prune(now);
    const found = this.states.get(endpoint.id);
    const state = found ?? { bucket: undefined, filledFor: '', elsewhere: 0, countedFor: '', countedAt: -Infinity, usedAt: now };
    if (!found) this.states.set(endpoint.id, state);
    state.usedAt = now;
    const { name, since } = this.processes.epoch;
    const rate = endpoint.ratePerSecond;
    if (state.bucket?.ratePerSecond !== (rate ?? undefined) || state.filledFor !== name) {
      // The former owner may have spent a second's tokens up to its end.
      state.bucket = rate === null ? undefined : new TokenBucket(rate, Math.max(now - 1_000, since + 1_000));
      state.filledFor = name;
    }
    return state;
  }

  private prune(now: number): void {
    if (now - this.prunedAt < IDLE_MS) return;
    this.prunedAt = now;
    for (const [id, { usedAt }] of this.states) if (now - usedAt > IDLE_MS) this.states.delete(id);
  }
}
