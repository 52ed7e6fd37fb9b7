import { Inject, Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import type { DispatchOutcome, IncomingRequest } from '../core/hook-event';
import { doorOf } from '../core/ledger-source';
import { Metrics } from '../metrics/metrics.service';
import type { Schema } from '../storage/schema';
import { Storage } from '../storage/storage';
import { anyOf } from './any-of';
import type { Wanted } from './delivery/admission';
import { DeliveryRunner } from './delivery/delivery-runner';
import { DispatchAtOnce } from './dispatch-at-once';
import { type DispatchPlan, planDispatch } from './dispatch-plan';
import { type KeyHolder, type ResolvedRequest, resolveGroup } from './dispatch-resolution';
import { requestMark } from './event-key';
import { LedgerTally, recordDelta } from './ledger-delta';
import { Outbound, type Runner } from './outbound';
import type { EndpointRecord } from './registry/endpoint-record';
import { RegistryService } from './registry/registry.service';
import type { RegistrySnapshot } from './registry/snapshot';

export interface DispatchOptions {
  /** Runs in the dispatch's own transaction, last; may run again when the transaction is tried again. */
  within?: (trx: Transaction<Schema>, outcomes: DispatchOutcome[][]) => Promise<void>;
}

/** REST events are dispatched by the call that brings them: the broker neither confirmed them nor hands them out again. */
const SOURCES_WITHOUT_DOOR: ReadonlySet<string> = new Set(['events']);

const passesDoor = (source: string): boolean => !SOURCES_WITHOUT_DOOR.has(source);

/** How many deliveries of which endpoints the plan would bring. */
const wantedBy = ({ owners }: DispatchPlan, snapshot: RegistrySnapshot): Wanted => {
  const wanted = new Map<EndpointRecord, number>();
  for (const { stored } of owners.values()) {
    for (const endpoint of snapshot.match(stored).endpoints) wanted.set(endpoint, (wanted.get(endpoint) ?? 0) + 1);
  }
  return wanted;
};

/** Takes groups of accepted requests: matches their events and stores, in one transaction, all that follows from them. */
@Injectable()
export class DispatcherService {
  private readonly atOnce: DispatchAtOnce;

  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    @Inject(DeliveryRunner) private readonly runner: Runner & Pick<DeliveryRunner, 'ready'>,
    private readonly metrics: Metrics,
  ) {
    this.atOnce = new DispatchAtOnce(storage);
  }

  /**
   * @returns for each request one outcome an event, in order.
   * @throws GatewayError `storage_unavailable`; nothing was written then, unless the commit's answer was what got lost: the same
   *   requests dispatched again write nothing twice.
   */
  async dispatch(requests: readonly IncomingRequest[], options: DispatchOptions = {}): Promise<DispatchOutcome[][]> {
    const snapshot = await this.registry.ensureLoaded();
    const nowMs = Date.now();
    const plan = planDispatch(requests, snapshot, nowMs);
    await this.runner.ready(wantedBy(plan, snapshot));
    if (!options.within && this.atOnce.fits(plan, nowMs)) {
      const outcomes = await this.dispatchAtOnce(plan, new Outbound(this.runner, snapshot, nowMs), nowMs);
      if (outcomes) return outcomes;
    }
    let outbound = new Outbound(this.runner, snapshot, nowMs);
    let tally = new LedgerTally();
    let outcomes: DispatchOutcome[][] = [];
    try {
      await this.storage.transaction(async (trx) => {
        // The transaction may be tried again: nothing of the try before may stay.
        outbound.abandon();
        outbound = new Outbound(this.runner, snapshot, nowMs);
        tally = new LedgerTally();
        const resolved = await this.resolve(trx, plan);
        await this.book(trx, resolved, nowMs, outbound, tally);
        outcomes = resolved.map((request) => request.outcomes);
        await options.within?.(trx, outcomes);
      });
    } catch (error) {
      outbound.abandon();
      throw error;
    }
    outbound.send();
    this.count(tally);
    return outcomes;
  }

  /** @returns undefined when an event was seen before; nothing is stored then. */
  private async dispatchAtOnce(plan: DispatchPlan, outbound: Outbound, nowMs: number): Promise<DispatchOutcome[][] | undefined> {
    const tally = new LedgerTally();
    for (const { source, events } of plan.requests) {
      for (const { stored } of events) tally.accept(source, outbound.add(stored));
      if (passesDoor(source)) tally.doorDispatched(source);
    }
    let isStored = false;
    try {
      isStored = await this.atOnce.store(plan, outbound, tally, nowMs);
    } finally {
      if (!isStored) outbound.abandon();
    }
    if (!isStored) return undefined;
    outbound.send();
    this.count(tally);
    return plan.requests.map(({ events }) => events.map(({ stored: { id, accountId } }) => ({ id, duplicate: false, accountId })));
  }

  /** Counts a message that can never be read, once for each request id: accepted and dead. @throws `storage_unavailable`. */
  async recordPoison(source: string, requestId: string): Promise<void> {
    const mark = requestMark(source, requestId, Date.now());
    const isNew = await this.storage.transaction(async (trx) => {
      const { size } = await this.storage.insertNewKeys(trx, [mark]);
      if (size === 0) return false;
      const tally = new LedgerTally();
      tally.accept(source, 'dead');
      if (passesDoor(source)) tally.doorDispatched(source);
      await recordDelta(trx, tally);
      return true;
    });
    if (isNew) this.metrics.events.inc({ source: doorOf(source), outcome: 'poison' });
  }

  private async resolve(trx: Transaction<Schema>, plan: DispatchPlan): Promise<ResolvedRequest[]> {
    const newKeys = await this.storage.insertNewKeys(trx, plan.keyRows);
    const holders = new Map<string, KeyHolder>();
    const others = plan.keyRows.flatMap(({ key }) => (newKeys.has(key) ? [] : [key]));
    if (others.length > 0) {
      const rows = await trx
        .selectFrom('event_keys')
        .select(['key', 'event_id', 'request_id'])
        .where(anyOf(this.storage.engine, 'key', 'text', others))
        .execute();
      for (const row of rows) holders.set(row.key, { eventId: row.event_id, requestId: row.request_id });
    }
    return resolveGroup(plan, newKeys, holders);
  }

  private async book(
    trx: Transaction<Schema>,
    resolved: readonly ResolvedRequest[],
    nowMs: number,
    outbound: Outbound,
    tally: LedgerTally,
  ): Promise<void> {
    const marked = await this.markUnknown(trx, resolved, nowMs);
    for (const entry of resolved) {
      const { source } = entry.request;
      for (const { stored } of entry.fresh) tally.accept(source, outbound.add(stored));
      if (entry.seen === 'again' || (entry.seen === 'unknown' && !marked.has(entry))) continue;
      tally.accept(source, 'duplicate', entry.duplicates);
      if (passesDoor(source)) tally.doorDispatched(source);
    }
    await this.storage.insertMany(trx, 'events', outbound.events);
    await this.storage.insertMany(trx, 'deliveries', outbound.deliveries);
    await recordDelta(trx, tally);
  }

  /** Of the requests that leave no event of their own, those that are here for the first time; they are marked, for the next. */
  private async markUnknown(
    trx: Transaction<Schema>,
    resolved: readonly ResolvedRequest[],
    nowMs: number,
  ): Promise<ReadonlySet<ResolvedRequest>> {
    const firstTime = new Set<ResolvedRequest>();
    const byMark = new Map<string, { entry: ResolvedRequest; mark: ReturnType<typeof requestMark> }>();
    for (const entry of resolved) {
      const { source, requestId } = entry.request;
      if (entry.seen !== 'unknown') continue;
      if (!passesDoor(source)) {
        firstTime.add(entry);
        continue;
      }
      const mark = requestMark(source, requestId, nowMs);
      if (!byMark.has(mark.key)) byMark.set(mark.key, { entry, mark });
    }
    if (byMark.size === 0) return firstTime;
    const marks = [...byMark.values()].map(({ mark }) => mark).sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const key of await this.storage.insertNewKeys(trx, marks)) {
      const found = byMark.get(key);
      if (found) firstTime.add(found.entry);
    }
    return firstTime;
  }

  private count(tally: LedgerTally): void {
    for (const row of tally.rows()) {
      const { pending, filtered, duplicate } = row;
      const source = doorOf(row.source);
      if (pending > 0) this.metrics.events.inc({ source, outcome: 'matched' }, pending);
      if (filtered > 0) this.metrics.events.inc({ source, outcome: 'filtered' }, filtered);
      if (duplicate > 0) this.metrics.events.inc({ source, outcome: 'duplicate' }, duplicate);
    }
  }
}
