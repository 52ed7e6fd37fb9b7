import { Logger } from '@nestjs/common';
import type { IncomingEvent, IncomingRequest } from '../../src/core/hook-event';
import { newId } from '../../src/core/ids';
import { DispatcherService } from '../../src/dispatcher/dispatcher.service';
import type { DeliveryJob } from '../../src/dispatcher/delivery/delivery-job';
import { LEDGER_COLUMNS, type LedgerRow } from '../../src/dispatcher/ledger-delta';
import type { EndpointRecord } from '../../src/dispatcher/registry/endpoint-record';
import { RegistryService } from '../../src/dispatcher/registry/registry.service';
import { LedgerService } from '../../src/ledger/ledger.service';
import { Metrics } from '../../src/metrics/metrics.service';
import { RegistryVersion, bumpRegistryVersion } from '../../src/storage/registry-version';
import type { Storage } from '../../src/storage/storage';
import type { EngineUnderTest, Place } from '../conformance/storage/engines';
import { type EndpointRow, type FilterRow, endpointRow, filterRow } from '../support/registry-rows';
import { testBox } from '../support/secret-box';

export const LEASE_MS = 25_000;

/** Stands for the delivery: it has a number of slots and notes what it is given. */
export class RunnerDouble {
  free = 0;
  started: DeliveryJob[] = [];

  reserve(): boolean {
    if (this.free === 0) return false;
    this.free -= 1;
    return true;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  leaseMs(): number {
    return LEASE_MS;
  }

  start(jobs: readonly DeliveryJob[]): void {
    this.started.push(...jobs);
  }

  stored(): void {}

  release(endpoints: readonly EndpointRecord[]): void {
    this.free += endpoints.length;
  }
}

/** Dispatch over a database of its own, without an application around it. */
export class DispatchRig {
  readonly runner = new RunnerDouble();
  readonly metrics = new Metrics();
  readonly version: RegistryVersion;
  readonly registry: RegistryService;
  readonly dispatcher: DispatcherService;
  readonly ledger: LedgerService;

  private constructor(
    private readonly place: Place,
    readonly storage: Storage,
  ) {
    this.version = new RegistryVersion(storage);
    this.registry = new RegistryService(storage, this.version, testBox);
    this.dispatcher = new DispatcherService(storage, this.registry, this.runner, this.metrics);
    this.ledger = new LedgerService(storage);
  }

  static async create(engine: EngineUnderTest): Promise<DispatchRig> {
    Logger.overrideLogger(['error', 'warn']);
    const place = await engine.place();
    return new DispatchRig(place, await place.open());
  }

  async close(): Promise<void> {
    await this.storage.close();
    await this.place.release();
  }

  /** Adds to the registry; dispatch goes by it from then on. */
  async register(rows: { endpoints?: EndpointRow[]; filters?: FilterRow[] }): Promise<void> {
    await this.storage.transaction(async (trx) => {
      await this.storage.insertMany(trx, 'endpoints', rows.endpoints ?? []);
      await this.storage.insertMany(trx, 'filters', rows.filters ?? []);
      await bumpRegistryVersion(trx);
    });
    await this.version.changed();
  }

  /** An event type that goes to as many endpoints. */
  async routed(eventType: string, fanOut: number): Promise<EndpointRow[]> {
    const endpoints = Array.from({ length: fanOut }, () => endpointRow());
    await this.register({ endpoints, filters: [filterRow({ eventTypes: [eventType], endpoints })] });
    return endpoints;
  }

  /** The whole ledger by source, without what is zero. */
  async sums(): Promise<Record<string, Partial<Omit<LedgerRow, 'source'>>>> {
    const rows = await this.ledger.sums();
    return Object.fromEntries(
      rows.map((row) => [
        row.source,
        Object.fromEntries(LEDGER_COLUMNS.filter((name) => row[name] !== 0).map((name) => [name, row[name]])),
      ]),
    );
  }

  async count(table: 'events' | 'deliveries' | 'event_keys' | 'ledger_deltas'): Promise<number> {
    const { count } = await this.storage.db
      .selectFrom(table)
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return count;
  }
}

export function incoming(changes: Partial<IncomingEvent> = {}): IncomingEvent {
  const body = Buffer.from('{"text":"hello","n":12345678901234567890}');
  return { application: 'facebook', eventType: 'message', data: body, body, contentType: 'application/json', ...changes };
}

export const requestOf = (events: IncomingEvent[], changes: Partial<IncomingRequest> = {}): IncomingRequest => ({
  requestId: newId(),
  source: 'facebook',
  receivedAt: Date.now(),
  events,
  ...changes,
});
