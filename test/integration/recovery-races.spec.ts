import { newId } from '../../src/core/ids';
import { OvertakenError, cancel, redrive } from '../../src/dispatcher/recovery/bulk-change';
import { replay } from '../../src/dispatcher/recovery/replay-change';
import type { InsertRow, Storage } from '../../src/storage/storage';
import { ENGINES, type Place } from '../conformance/storage/engines';
import { sampleDelivery, sampleEvent } from '../conformance/storage/sample-rows';
import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { acquireDatabase } from '../support/services/services';
import { TcpProxy } from '../support/tcp-proxy';
import { ended, exactLedger, publishMany, reached, subscribe } from './recovery-rig';
import { ENGINES as APP_ENGINES, RestApp } from './rest-app';

describe.each(ENGINES)('what a job has read may be old, on $engine', (engine) => {
  let place: Place;
  let storage: Storage;

  beforeAll(async () => {
    place = await engine.place();
    storage = await place.open();
  });

  afterAll(async () => {
    await storage?.close();
    await place?.release();
  });

  /** An event whose only delivery is so. */
  async function stored(
    changes: Partial<InsertRow<'deliveries'>>,
  ): Promise<{ id: string; eventId: string; source: string; fanOut: number }> {
    const event = { ...sampleEvent(), source: newId() };
    const row = { ...sampleDelivery(event.id), id: event.id, source: event.source, leased_by: null, ...changes };
    await storage.insertMany(storage.db, 'events', [event]);
    await storage.insertMany(storage.db, 'deliveries', [row]);
    return { id: row.id, eventId: event.id, source: event.source, fanOut: 1 };
  }

  const replayed = (eventId: string, endpointId: string): Promise<number> =>
    storage.transaction((trx) => replay(storage, trx, [eventId], endpointId, Date.now()));

  const booked = async (source: string): Promise<Record<string, number>> => {
    const rows = await storage.db.selectFrom('ledger_deltas').selectAll().where('source', '=', source).execute();
    const sum = (column: 'dead' | 'pending' | 'cancelled'): number => rows.reduce((total, row) => total + Number(row[column]), 0);
    return { dead: sum('dead'), pending: sum('pending'), cancelled: sum('cancelled') };
  };

  it('does not redrive as its event’s only delivery one that got a sibling', async () => {
    const ref = await stored({ status: 'dead', dead_class: 'receiver', next_attempt_at: null, settled_at: 1 });
    expect(await replayed(ref.eventId, newId())).toBe(1);
    const again = (fanOut: number): Promise<number> =>
      storage.transaction((trx) => redrive(storage, trx, [{ ...ref, fanOut, status: 'dead' }], Date.now()));
    await expect(again(1)).rejects.toBeInstanceOf(OvertakenError);
    expect(await again(2)).toBe(1);
    expect(await booked(ref.source)).toEqual({ dead: -1, pending: 1, cancelled: 0 });
  });

  it('leaves alone what is no longer as it was read, also where it could be redriven', async () => {
    const ref = await stored({ status: 'cancelled', next_attempt_at: null, settled_at: 1 });
    const again = (status: 'dead' | 'cancelled'): Promise<number> =>
      storage.transaction((trx) => redrive(storage, trx, [{ ...ref, status }], Date.now()));
    // The ledger would call it dead no more, which it never was.
    expect(await again('dead')).toBe(0);
    expect(await booked(ref.source)).toEqual({ dead: 0, pending: 0, cancelled: 0 });
    expect(await again('cancelled')).toBe(1);
    expect(await booked(ref.source)).toEqual({ dead: 0, pending: 1, cancelled: -1 });
  });

  it('does not cancel as its event’s only delivery one that got a sibling', async () => {
    const ref = await stored({ status: 'waiting' });
    expect(await replayed(ref.eventId, newId())).toBe(1);
    const again = (fanOut: number): Promise<string[]> =>
      storage.transaction((trx) => cancel(storage, trx, [{ ...ref, fanOut }], Date.now()));
    await expect(again(1)).rejects.toBeInstanceOf(OvertakenError);
    expect(await again(2)).toEqual([ref.id]);
    // The sibling is still open.
    expect(await booked(ref.source)).toEqual({ dead: 0, pending: 0, cancelled: 0 });
  });

  it('changes nothing that somebody else has changed, and makes no delivery twice', async () => {
    const ref = await stored({ status: 'delivered', next_attempt_at: null, settled_at: 1 });
    expect(await storage.transaction((trx) => redrive(storage, trx, [{ ...ref, status: 'dead' }], 1))).toBe(0);
    expect(await storage.transaction((trx) => cancel(storage, trx, [ref], 1))).toEqual([]);
    const endpointId = newId();
    const together = await Promise.all(Array.from({ length: 5 }, () => replayed(ref.eventId, endpointId)));
    expect(together.sort()).toEqual([0, 0, 0, 0, 1]);
  });

  it('leaves alone an event whose deliveries have expired', async () => {
    const event = { ...sampleEvent(), fan_out: 2 };
    await storage.insertMany(storage.db, 'events', [event]);
    expect(await replayed(event.id, newId())).toBe(0);
  });
});

/** What a test has opened, ended whatever became of it. */
const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.stop();
});

describe.each(APP_ENGINES)('several jobs at once on %s', (engine) => {
  it('change each delivery once, and are bounded', async () => {
    const [app, receiver] = await Promise.all([RestApp.start(engine, { DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0' }), Receiver.start()]);
    opened.push({ stop: () => app.close() }, receiver);
    receiver.answer = () => ({ status: 500 });
    const key = await app.newAccount('acme');
    const { id: endpointId } = await subscribe(app, receiver.url, { retrySchedule: [] }, { key });
    await publishMany(app, 600, { application: 'shop' }, { key });
    await reached(app, endpointId, { dead: 600 });
    receiver.clear();
    receiver.answer = () => ({ status: 204 });
    const body = { filter: { endpointId }, ratePerSecond: 10 };
    const jobs: string[] = [];
    for (let i = 0; i < 10; i++) jobs.push((await app.must(202, 'POST', '/api/v1/deliveries/redrive', body, { key })).id);
    expect((await app.call('POST', '/api/v1/deliveries/redrive', body, { key })).body).toMatchObject({ status: 409, code: 'conflict' });
    const done = await Promise.all(jobs.map((id) => ended(app, id)));
    expect(done.reduce((sum, job) => sum + Number(job.changed), 0)).toBe(600);
    await reached(app, endpointId, { delivered: 600 });
    expect(new Set(receiver.received.map((request) => request.id)).size).toBe(600);
    expect(receiver.received).toHaveLength(600);
    await exactLedger(app);
  });
});

describe('a job during an outage of PostgreSQL', () => {
  it('waits, and goes on where it was', async () => {
    const database = await acquireDatabase();
    const { proxy, url } = await TcpProxy.inFrontOf(database.url);
    const receiver = await Receiver.start();
    receiver.answer = () => ({ status: 500 });
    const app = await RestApp.start('postgres', { DATABASE_URL: url, DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0' });
    opened.push({ stop: () => app.close() }, receiver, proxy, { stop: () => database.release() });
    const { id: endpointId } = await subscribe(app, receiver.url, { retrySchedule: [] }, {});
    await publishMany(app, 300, { application: 'shop' }, {});
    await reached(app, endpointId, { dead: 300 });
    receiver.clear();
    receiver.answer = () => ({ status: 204 });
    const { id } = await app.must(202, 'POST', '/api/v1/deliveries/redrive', { filter: {}, ratePerSecond: 100 });
    await eventually('it has begun', () => receiver.received.length > 20);
    proxy.cut();
    await eventually('the storage is away', async () => (await app.call('GET', `/api/v1/jobs/${String(id)}`)).status === 503);
    proxy.restore();
    const job = await ended(app, id);
    expect(job).toMatchObject({ state: 'done', examined: 300, changed: 300, error: null });
    await reached(app, endpointId, { delivered: 300 });
    await exactLedger(app);
  });
});
