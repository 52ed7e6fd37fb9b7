import { Logger } from '@nestjs/common';
import { BOOT_ID, newId } from '../../src/core/ids';
import { PostgresStorage } from '../../src/storage/postgres/postgres-storage';
import { ENGINES, postgresOptions } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { acquireDatabase } from '../support/services/services';
import { TcpProxy } from '../support/tcp-proxy';
import { DeliveryRig } from './delivery-rig';

const OTHER_BOOT = newId();
const FIVE_DAYS_MS = 5 * 86_400_000;

describe.each(ENGINES)('delivery recovers on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rig.close();
  });

  /** Proves that the puller has looked since: it fetched this. */
  const pulledSomethingElse = async (): Promise<void> => {
    const receiver = await rig.receiver();
    receiver.answer = (_, count) => ({ status: count < 2 ? 500 : 204 });
    const type = newId();
    const endpoint = await rig.endpoint(type, { url: receiver.url, retry_schedule: '[0.1]' });
    await rig.send(type);
    await rig.reached(endpoint.id, { delivered: 1 });
  };

  it('freezes the deliveries of a disabled endpoint and resumes them', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('frozen', { url: receiver.url, retry_schedule: '[3600,3600]' });
    await rig.send('frozen', 3);
    await rig.reached(endpoint.id, { waiting: 3 });
    await rig.changeEndpoint(endpoint.id, { enabled: 0, disabled_reason: 'manual' });
    await rig.makeDue(endpoint.id);
    await pulledSomethingElse();
    expect(await rig.deliveriesTo(endpoint.id)).toMatchObject(
      Array(3).fill({ status: 'waiting', leased_by: null, next_attempt_at: 1, attempt_count: 1 }),
    );
    receiver.answer = () => ({ status: 204 });
    await rig.changeEndpoint(endpoint.id, { enabled: 1, disabled_reason: null });
    await rig.reached(endpoint.id, { delivered: 3 });
    expect(receiver.received).toHaveLength(6);
  });

  it('attempts each at its time, though nobody looks meanwhile', async () => {
    await rig.boot({ DELIVERY_PULL_INTERVAL_MS: '60000' });
    const receiver = await rig.receiver();
    receiver.answer = (_, count) => ({ status: count < 2 ? 500 : 204 });
    const endpoint = await rig.endpoint('short', { url: receiver.url, retry_schedule: '[1.5]' });
    for (let sent = 1; sent <= 5; sent++) {
      await rig.send('short');
      await eventually('it has failed', () => receiver.received.length >= sent);
    }
    await rig.reached(endpoint.id, { delivered: 5 });
  });

  it('disables an endpoint that is gone and cancels its open deliveries', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('gone', { url: receiver.url, retry_schedule: '[3600]' });
    await rig.send('gone', 700);
    await rig.reached(endpoint.id, { waiting: 700 });
    receiver.answer = () => ({ status: 410 });
    await rig.send('gone');
    await rig.reached(endpoint.id, { cancelled: 701 });
    const rows = await rig.deliveriesTo(endpoint.id);
    expect(rows.every((row) => row.reason === 'endpoint_gone' && row.next_attempt_at === null && row.settled_at !== null)).toBe(true);
    expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ enabled: 0, disabled_reason: 'endpoint_gone' });
    expect(await rig.attemptsOf(rows.at(-1)?.id ?? '')).toMatchObject([{ code: '410', status: 'failed' }]);
    expect(await rig.ledger()).toEqual({ accepted: 701, delivered: 0, dead: 0, cancelled: 701, pending: 0 });
    await eventually('they are counted', async () => (await rig.metrics.cancelled.get()).values[0]?.value === 701);
  });

  it('tells of deliveries that are dead, in one line for those that are settled together', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('dead', { url: receiver.url, retry_schedule: '[]' });
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const deadLines = (): string[] => warned.mock.calls.map(([line]) => String(line)).filter((line) => line.startsWith('Dead'));
    const [eventId = ''] = await rig.send('dead');
    await rig.reached(endpoint.id, { dead: 1 });
    const [row] = await rig.deliveriesTo(endpoint.id);
    await eventually('it is told', () => deadLines().length > 0);
    expect(deadLines()).toEqual([`Dead: delivery ${row?.id} of event ${eventId} to endpoint ${endpoint.id}, whose last code is 500`]);
    // They end together.
    receiver.answer = () => ({ status: 500, delayMs: 500 });
    await rig.send('dead', 100);
    await rig.reached(endpoint.id, { dead: 101 });
    const countsTold = (): number[] => deadLines().map((line) => Number(/^Dead: (\d+) deliveries, among them /.exec(line)?.[1] ?? 1));
    await eventually('all are told', () => countsTold().reduce((sum, count) => sum + count) === 101);
    expect(Math.max(...countsTold())).toBeGreaterThan(1);
  });

  it('cancels the deliveries of an endpoint that was deleted', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('deleted', { url: receiver.url, retry_schedule: '[3600]' });
    await rig.send('deleted', 2);
    await rig.reached(endpoint.id, { waiting: 2 });
    await rig.changeRegistry(async ({ db }) => {
      await db.deleteFrom('endpoints').where('id', '=', endpoint.id).execute();
    });
    await rig.reached(endpoint.id, { cancelled: 2 });
    expect(await rig.deliveriesTo(endpoint.id)).toMatchObject(Array(2).fill({ reason: 'endpoint_deleted' }));
    expect(await rig.ledger()).toMatchObject({ accepted: 2, cancelled: 2 });
    await eventually('they are counted', async () => (await rig.metrics.cancelled.get()).values[0]?.value === 2);
  });

  it('notes since when an endpoint has done nothing but fail, and disables it after five days', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('failing', { url: receiver.url, retry_schedule: '[3600,3600]' });
    const sentAt = Date.now();
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const told = jest.spyOn(Logger.prototype, 'log');
    await rig.send('failing');
    await eventually('it is noted', async () => ((await rig.readEndpoint(endpoint.id)).failing_since ?? 0) >= sentAt);
    await eventually('it is told', () => warned.mock.calls.length > 0);
    receiver.answer = () => ({ status: 204 });
    await rig.send('failing');
    await eventually('a success ends it', async () => (await rig.readEndpoint(endpoint.id)).failing_since === null);
    await eventually('that is told', () => told.mock.calls.length > 0);
    const label = `failing (${endpoint.id})`;
    expect(warned.mock.calls).toEqual([[`Endpoints that began to fail: ${label} with 500`]]);
    expect(told.mock.calls).toEqual([[`Endpoints that succeed again: ${label}`]]);

    await rig.changeEndpoint(endpoint.id, { failing_since: Date.now() - FIVE_DAYS_MS });
    receiver.answer = () => ({ status: 500 });
    await rig.send('failing');
    await eventually('it is disabled', async () => (await rig.readEndpoint(endpoint.id)).enabled === 0);
    expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ disabled_reason: 'failing' });
    await rig.reached(endpoint.id, { waiting: 2, delivered: 1 });
    await rig.makeDue(endpoint.id);
    await pulledSomethingElse();
    await rig.reached(endpoint.id, { waiting: 2, delivered: 1 });
  });

  it('takes over what another process left, once its lease has run out', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint('left', { url: receiver.url, retry_schedule: '[3600,3600]' });
    await rig.send('left', 2);
    await rig.reached(endpoint.id, { waiting: 2 });
    await rig.shutDown();

    const storage = await rig.openStorage();
    const [expired, held] = (await storage.db.selectFrom('deliveries').select('id').orderBy('id').execute()).map((row) => row.id) as [
      string,
      string,
    ];
    const lease = async (id: string, until: number): Promise<void> => {
      await storage.db
        .updateTable('deliveries')
        .set({ next_attempt_at: 1, leased_by: OTHER_BOOT, lease_until: until })
        .where('id', '=', id)
        .execute();
    };
    await lease(expired, Date.now() - 1);
    await lease(held, Date.now() + 3_600_000);
    // It lives, and is shutting down.
    const living = { boot_id: OTHER_BOOT, started_at: 1, seen_at: Date.now() + 3_600_000, active_from: null };
    await storage.insertMany(storage.db, 'processes', [living]);
    await storage.close();

    receiver.answer = () => ({ status: 204 });
    await rig.boot();
    if (engine.engine === 'sqlite') {
      // The only process is ourselves: whoever held it is no more.
      await rig.reached(endpoint.id, { delivered: 2 });
    } else {
      await rig.reached(endpoint.id, { delivered: 1, waiting: 1 });
      await pulledSomethingElse();
      expect(await rig.deliveriesTo(endpoint.id)).toMatchObject([{ id: expired }, { id: held, leased_by: OTHER_BOOT, attempt_count: 1 }]);
    }
  });

  it('renews its leases while an attempt lasts', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 204, delayMs: 1_000 });
    const endpoint = await rig.endpoint('long', { url: receiver.url, timeout_ms: 60_000 });
    const sentAt = Date.now();
    await rig.send('long');
    // From now on it lasts as long as a renewed one, not as the first.
    await eventually('the lease is renewed', async () => ((await rig.deliveriesTo(endpoint.id))[0]?.lease_until ?? 0) < sentAt + 60_000);
    const [row] = await rig.deliveriesTo(endpoint.id);
    expect(row).toMatchObject({ status: 'pending', leased_by: BOOT_ID });
    expect(row?.lease_until).toBeGreaterThan(sentAt + 10_000);
    await rig.reached(endpoint.id, { delivered: 1 });
    expect(receiver.received).toHaveLength(1);
  });

  it('drops a result when another process has taken the delivery over', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 204, delayMs: 300 });
    const endpoint = await rig.endpoint('fenced', { url: receiver.url });
    await rig.send('fenced', 2);
    await eventually('both attempts are under way', () => receiver.received.length === 2);
    const [lost, settled] = (await rig.deliveriesTo(endpoint.id)).map((row) => row.id) as [string, string];
    const { db } = rig.storage;
    await db
      .updateTable('deliveries')
      .set({ leased_by: OTHER_BOOT, lease_until: Date.now() + 60_000 })
      .where('id', '=', lost)
      .execute();
    // Settled by a former incarnation of the same lease.
    await db.updateTable('deliveries').set({ attempt_count: 1 }).where('id', '=', settled).execute();
    await eventually('both results are dropped', async () => (await rig.metrics.fenced.get()).values[0]?.value === 2);
    expect(await rig.deliveriesTo(endpoint.id)).toMatchObject([
      { id: lost, status: 'pending', attempt_count: 0, leased_by: OTHER_BOOT },
      { id: settled, status: 'pending', attempt_count: 1 },
    ]);
    expect(await rig.attemptsOf(lost)).toEqual([]);
    expect(await rig.attemptsOf(settled)).toEqual([]);
    expect(rig.runner.inHandSince(Infinity)).toEqual([]);
  });

  it('waits for the attempts under way when it shuts down, and leaves the rest to be taken', async () => {
    await rig.boot({ DELIVERY_MAX_IN_FLIGHT_PER_ENDPOINT: '3' });
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 204, delayMs: 300 });
    const endpoint = await rig.endpoint('draining', { url: receiver.url });
    await rig.send('draining', 50);
    await eventually('attempts are under way', () => receiver.received.length >= 3);
    await rig.shutDown();

    const storage = await rig.openStorage();
    const rows = await storage.db.selectFrom('deliveries').selectAll().execute();
    await storage.close();
    const delivered = rows.filter((row) => row.status === 'delivered').length;
    expect(delivered).toBe(receiver.received.length);
    expect(delivered).toBeLessThan(50);
    expect(rows.filter((row) => row.leased_by !== null)).toEqual([]);

    await rig.boot();
    await rig.reached(endpoint.id, { delivered: 50 });
    expect(new Set(receiver.received.map((request) => request.id)).size).toBe(50);
    expect(receiver.received).toHaveLength(50);
  });

  it('gives back what does not end in time when it shuts down', async () => {
    await rig.boot({ DELIVERY_DRAIN_MS: '100' });
    const receiver = await rig.receiver();
    receiver.answer = () => undefined;
    const endpoint = await rig.endpoint('hanging', { url: receiver.url });
    await rig.send('hanging');
    await eventually('the attempt is under way', () => receiver.received.length === 1);
    await rig.shutDown();
    receiver.answer = () => ({ status: 204 });
    await rig.boot();
    await rig.reached(endpoint.id, { delivered: 1 });
    expect(await rig.deliveriesTo(endpoint.id)).toMatchObject([{ attempt_count: 1 }]);
  });

  it('drains a backlog larger than its caps, within the caps', async () => {
    await rig.boot({ DELIVERY_CONCURRENCY: '20', DELIVERY_MAX_IN_FLIGHT_PER_ENDPOINT: '4' });
    const receiver = await rig.receiver();
    let underWay = 0;
    let most = 0;
    receiver.answer = () => {
      most = Math.max(most, ++underWay);
      setTimeout(() => (underWay -= 1), 20);
      return { status: 204, delayMs: 20 };
    };
    const endpoint = await rig.endpoint('backlog', { url: receiver.url });
    const ids = await rig.send('backlog', 300);
    await rig.reached(endpoint.id, { delivered: 300 });
    expect(receiver.received.map((request) => request.id).sort()).toEqual([...ids].sort());
    expect(most).toBeLessThanOrEqual(4);
    expect(await rig.ledger()).toEqual({ accepted: 300, delivered: 300, dead: 0, cancelled: 0, pending: 0 });
    expect(rig.runner.slots.free).toBe(20);
  });

  it('does not let an endpoint that hangs hold up another', async () => {
    await rig.boot({ DELIVERY_CONCURRENCY: '20', DELIVERY_MAX_IN_FLIGHT_PER_ENDPOINT: '10', DELIVERY_DRAIN_MS: '0' });
    const [hanging, healthy] = [await rig.receiver(), await rig.receiver()];
    hanging.answer = () => undefined;
    const stuck = await rig.endpoint('stuck', { url: hanging.url, timeout_ms: 60_000 });
    const well = await rig.endpoint('well', { url: healthy.url });
    await rig.send('stuck', 300);
    await rig.send('well', 300);
    await rig.reached(well.id, { delivered: 300 });
    expect(await rig.statusesOf(stuck.id)).toEqual({ pending: 300 });
    expect(hanging.received.length).toBeGreaterThan(0);
    expect(hanging.received.length).toBeLessThanOrEqual(10);
  });
});

describe('while the database is away', () => {
  it('keeps the results of attempts and writes them when it is back', async () => {
    const database = await acquireDatabase();
    const { proxy, url } = await TcpProxy.inFrontOf(database.url);
    const open = () => PostgresStorage.open(postgresOptions(url));
    const release = async (): Promise<void> => {
      await proxy.stop();
      await database.release();
    };
    const rig = await DeliveryRig.create({ place: () => Promise.resolve({ open, release }) });
    try {
      await rig.boot();
      const receiver = await rig.receiver();
      receiver.answer = () => ({ status: 204, delayMs: 300 });
      const endpoint = await rig.endpoint('outage', { url: receiver.url });
      await rig.send('outage', 30);
      await eventually('attempts are under way', () => receiver.received.length === 30);
      proxy.cut();
      await eventually('attempts have ended', async () => (await rig.metrics.inFlight.get()).values[0]?.value === 0);
      for (let i = 0; i < 20; i++) expect(await rig.storage.probe()).toBe(false);
      expect(rig.runner.inHandSince(Infinity)).toHaveLength(30);
      proxy.restore();
      await rig.reached(endpoint.id, { delivered: 30 });
      expect(receiver.received).toHaveLength(30);
      expect(await rig.ledger()).toMatchObject({ accepted: 30, delivered: 30, pending: 0 });
      expect((await rig.metrics.fenced.get()).values[0]?.value ?? 0).toBe(0);
    } finally {
      await rig.close();
    }
  });
});
