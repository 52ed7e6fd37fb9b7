import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { loadConfig } from '../../src/config/load-config';
import { useSettings } from '../../src/config/provide-config';
import type { IncomingEvent } from '../../src/core/hook-event';
import { DeliveryRunner } from '../../src/dispatcher/delivery/delivery-runner';
import { DispatcherModule } from '../../src/dispatcher/dispatcher.module';
import { DispatcherService } from '../../src/dispatcher/dispatcher.service';
import { OperationalEvents } from '../../src/dispatcher/operational/operational-events';
import { LEDGER_COLUMNS } from '../../src/dispatcher/ledger-delta';
import { LedgerService } from '../../src/ledger/ledger.service';
import { Metrics } from '../../src/metrics/metrics.service';
import { RegistryVersion, bumpRegistryVersion } from '../../src/storage/registry-version';
import type { AttemptsTable, DeliveriesTable } from '../../src/storage/schema';
import { Storage } from '../../src/storage/storage';
import type { Selectable } from 'kysely';
import type { EngineUnderTest, Place } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { type EndpointRow, endpointRow, filterRow } from '../support/registry-rows';
import { TEST_KEY } from '../support/secret-box';
import { incoming, requestOf } from './dispatch-rig';

export type DeliveryRow = Selectable<DeliveriesTable>;
export type AttemptRow = Selectable<AttemptsTable>;

/** Waits that tests can afford: quick looks at the database, and loopback opened. */
const SETTINGS = {
  SECRETS_ENCRYPTION_KEYS: TEST_KEY,
  EGRESS_ALLOW: '127.0.0.0/8',
  DELIVERY_PULL_INTERVAL_MS: '50',
  // Circuits stay closed where they are not the test's matter.
  DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0',
  DELIVERY_SWEEP_INTERVAL_MS: '100',
};

/** Dispatch and delivery as the application wires them, over a database of its own, with receivers on loopback. */
export class DeliveryRig {
  private module: TestingModule | undefined;
  private readonly receivers: Receiver[] = [];

  private constructor(private readonly place: Place) {}

  static async create(engine: Pick<EngineUnderTest, 'place'>): Promise<DeliveryRig> {
    Logger.overrideLogger(false);
    return new DeliveryRig(await engine.place());
  }

  /** Boots on what the database holds. */
  async boot(settings: Record<string, string> = {}): Promise<void> {
    useSettings(loadConfig({ ...SETTINGS, ...settings }));
    const storage = await this.place.open();
    this.module = await Test.createTestingModule({ imports: [DispatcherModule] })
      .overrideProvider(Storage)
      .useValue(storage)
      .compile();
    await this.module.init();
  }

  /** Ends it as a shutdown does. */
  async shutDown(): Promise<void> {
    await this.module?.close();
    this.module = undefined;
  }

  async close(): Promise<void> {
    await this.shutDown();
    await Promise.all(this.receivers.map((receiver) => receiver.stop()));
    await this.place.release();
  }

  get storage(): Storage {
    return this.get(Storage);
  }

  get runner(): DeliveryRunner {
    return this.get(DeliveryRunner);
  }

  get operational(): OperationalEvents {
    return this.get(OperationalEvents);
  }

  get metrics(): Metrics {
    return this.get(Metrics);
  }

  /** Another storage over the same database, to look at it while nothing is booted. */
  openStorage(): Promise<Storage> {
    return this.place.open();
  }

  async receiver(): Promise<Receiver> {
    const receiver = await Receiver.start();
    this.receivers.push(receiver);
    return receiver;
  }

  /** An endpoint that gets the events of the type, and its row. */
  async endpoint(eventType: string, changes: Partial<EndpointRow>): Promise<EndpointRow> {
    const endpoint = endpointRow({ name: eventType, ...changes });
    await this.changeRegistry(async (storage) => {
      await storage.insertMany(storage.db, 'endpoints', [endpoint]);
      await storage.insertMany(storage.db, 'filters', [filterRow({ eventTypes: [eventType], endpoints: [endpoint] })]);
    });
    return endpoint;
  }

  async changeEndpoint(id: string, changes: Partial<EndpointRow>): Promise<void> {
    await this.changeRegistry(async ({ db }) => {
      await db.updateTable('endpoints').set(changes).where('id', '=', id).execute();
    });
  }

  async changeRegistry(change: (storage: Storage) => Promise<void>): Promise<void> {
    await change(this.storage);
    await this.storage.transaction((trx) => bumpRegistryVersion(trx));
    await this.get(RegistryVersion).changed();
  }

  async readEndpoint(id: string): Promise<EndpointRow> {
    return this.storage.db.selectFrom('endpoints').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }

  /** Dispatches as many events of the type, in groups of 100. @returns their ids. */
  async send(eventType: string, count = 1, changes: Partial<IncomingEvent> = {}): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      const events = Array.from({ length: Math.min(100, count - ids.length) }, () => incoming({ eventType, ...changes }));
      const [outcomes = []] = await this.get(DispatcherService).dispatch([requestOf(events)]);
      ids.push(...outcomes.map((outcome) => outcome.id));
    }
    return ids;
  }

  deliveriesTo(endpointId: string): Promise<DeliveryRow[]> {
    return this.storage.db.selectFrom('deliveries').selectAll().where('endpoint_id', '=', endpointId).orderBy('id').execute();
  }

  attemptsOf(deliveryId: string): Promise<AttemptRow[]> {
    return this.storage.db.selectFrom('attempts').selectAll().where('delivery_id', '=', deliveryId).orderBy('number').execute();
  }

  /** Brings the endpoint's waiting deliveries forward. */
  async makeDue(endpointId: string): Promise<void> {
    const { db } = this.storage;
    await db
      .updateTable('deliveries')
      .set({ next_attempt_at: 1 })
      .where('endpoint_id', '=', endpointId)
      .where('next_attempt_at', 'is not', null)
      .execute();
  }

  /** How many deliveries of the endpoint have each status. */
  async statusesOf(endpointId: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { status } of await this.deliveriesTo(endpointId)) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  /** Waits until the endpoint's deliveries are exactly so. */
  async reached(endpointId: string, wanted: Record<string, number>): Promise<void> {
    await eventually(`deliveries are ${JSON.stringify(wanted)}`, async () => {
      expect(await this.statusesOf(endpointId)).toEqual(wanted);
      return true;
    });
  }

  /** The ledger's sum over all sources; it must always be in balance. */
  async ledger(): Promise<Record<string, number>> {
    const rows = await new LedgerService(this.storage).sums();
    const sum = Object.fromEntries(LEDGER_COLUMNS.map((column) => [column, rows.reduce((total, row) => total + row[column], 0)]));
    const { accepted = 0, delivered = 0, filtered = 0, duplicate = 0, dead = 0, cancelled = 0, pending = 0 } = sum;
    expect(accepted).toBe(delivered + filtered + duplicate + dead + cancelled + pending);
    return { accepted, delivered, dead, cancelled, pending };
  }

  get<T>(type: abstract new (...args: never[]) => T): T {
    if (!this.module) throw new Error('The rig is not booted');
    return this.module.get(type as never, { strict: false });
  }
}
