import { sql } from 'kysely';
import { newId } from '../../src/core/ids';
import { Backlog } from '../../src/dispatcher/delivery/backlog';
import { claimDue } from '../../src/dispatcher/delivery/due-deliveries';
import { Circuits } from '../../src/dispatcher/delivery/limits/circuits';
import { ProcessTable } from '../../src/dispatcher/delivery/limits/process-table';
import { toEventRow } from '../../src/dispatcher/stored-event';
import type { InsertRow, Storage } from '../../src/storage/storage';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import type { Receiver } from '../support/receiver';
import type { EndpointRow } from '../support/registry-rows';
import { DeliveryRig } from './delivery-rig';

const CHUNK = 2_000;

/** Stores as many due deliveries to the endpoint, as a backlog that built up over days. */
async function seed(storage: Storage, endpoint: EndpointRow, count: number, bytes = 20): Promise<void> {
  for (let left = count; left > 0; left -= CHUNK) {
    const events: InsertRow<'events'>[] = [];
    const deliveries: InsertRow<'deliveries'>[] = [];
    for (let i = 0; i < Math.min(CHUNK, left); i++) {
      const id = newId();
      const body = Buffer.from(JSON.stringify('x'.repeat(bytes - 2)));
      const names = { accountId: endpoint.account_id, source: 'test', application: 'test', eventType: 'seeded', level: null };
      const times = { timestamp: '2026-01-01T00:00:00Z', receivedAt: 1, requestId: id };
      const event = { id, ...names, ...times, context: null, body, data: body, contentType: 'application/json' };
      events.push({ ...toEventRow(event), fan_out: 1, filtered_reason: null });
      deliveries.push({
        id,
        event_id: id,
        endpoint_id: endpoint.id,
        account_id: endpoint.account_id,
        source: 'test',
        status: 'pending',
        attempt_count: 0,
        next_attempt_at: 1,
        leased_by: null,
        lease_until: null,
        fan_out: 1,
        reason: null,
        dead_class: null,
        created_at: 1,
        settled_at: null,
      });
    }
    await storage.insertMany(storage.db, 'events', events);
    await storage.insertMany(storage.db, 'deliveries', deliveries);
  }
}

/** Counts how often rows of deliveries are written from now on. */
async function updateCounter(storage: Storage): Promise<() => Promise<number>> {
  const { db } = storage;
  if (storage.engine === 'sqlite') {
    await sql`create table updates (n integer)`.execute(db);
    await sql`create trigger count_updates after update on deliveries begin insert into updates values (1); end`.execute(db);
    return async () => (await sql<{ n: number }>`select count(*) as n from updates`.execute(db)).rows[0]?.n ?? 0;
  }
  // Not by pg_stat_user_tables, where another connection's updates of before may be counted later.
  await sql`create sequence updates`.execute(db);
  await sql`create function count_update() returns trigger language plpgsql as 'begin perform nextval(''updates''); return new; end'`.execute(
    db,
  );
  await sql`create trigger count_updates after update on deliveries for each row execute function count_update()`.execute(db);
  return async () =>
    (await sql<{ n: number }>`select case when is_called then last_value else 0 end::int as n from updates`.execute(db)).rows[0]?.n ?? 0;
}

/** Answers after so long; tells how many requests were there at once at most. */
function countingUnderWay(receiver: Receiver, delayMs: number): () => number {
  let underWay = 0;
  let most = 0;
  receiver.answer = () => {
    most = Math.max(most, ++underWay);
    setTimeout(() => (underWay -= 1), delayMs);
    return { status: 204, delayMs };
  };
  return () => most;
}

function mostInAnySecond(times: readonly number[]): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= 1_000) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

describe.each(ENGINES)('limits on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
  });
  afterEach(() => rig.close());

  it('never has more attempts under way than maxInFlight, and uses what it has', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    const most = countingUnderWay(receiver, 30);
    const endpoint = await rig.endpoint('capped', { url: receiver.url, max_in_flight: 3 });
    await rig.send('capped', 100);
    await rig.reached(endpoint.id, { delivered: 100 });
    expect(most()).toBe(3);
    expect(receiver.received).toHaveLength(100);
  });

  it('keeps ratePerSecond over a backlog of 20,000, and writes only what it takes', async () => {
    // Leases are renewed at each sweep.
    await rig.boot({ DELIVERY_SWEEP_INTERVAL_MS: '60000' });
    const receiver = await rig.receiver();
    const endpoint = await rig.endpoint('rated', { url: receiver.url, rate_per_second: 100 });
    await seed(rig.storage, endpoint, 20_000);
    await eventually('it has begun', () => receiver.received.length > 0);
    const updates = await updateCounter(rig.storage);
    const before = receiver.received.length;
    const startedAt = Date.now();
    await eventually('600 have arrived', () => receiver.received.length >= before + 600);
    const perSecond = (receiver.received.length - before) / ((Date.now() - startedAt) / 1_000);
    expect(perSecond).toBeGreaterThan(90);
    // By when they began: this process is the receiver too, and may read later what came earlier.
    const attempts = await rig.storage.db.selectFrom('attempts').select('at').orderBy('at').execute();
    expect(mostInAnySecond(attempts.map((attempt) => attempt.at))).toBeLessThanOrEqual(110);
    // Each is leased and settled.
    const written = await eventually('they are counted', async () => {
      const count = await updates();
      return count >= 1_100 && count;
    });
    expect(written).toBeLessThanOrEqual(2 * (receiver.received.length + 20));
  });

  it('holds back what fails, burns no attempts meanwhile, and goes on when a probe succeeds', async () => {
    await rig.boot({ DELIVERY_CIRCUIT_MIN_ATTEMPTS: '20' });
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 503 });
    const endpoint = await rig.endpoint('sick', { url: receiver.url, retry_schedule: '[0.1,0.1,0.1,0.1,0.1,0.1]' });
    await rig.send('sick', 300);
    const circuits = rig.get(Circuits);
    const open = async (): Promise<number> => (await rig.metrics.circuitsOpen.get()).values[0]?.value ?? 0;
    await eventually('its circuit is open', async () => (await open()) === 1);
    expect(circuits.circuitOf(endpoint.id)).toBe('open');
    await eventually('what was under way has ended', () => rig.runner.inHandSince(Infinity).length === 0);
    await eventually('what waited behind it is back', async () =>
      (await rig.deliveriesTo(endpoint.id)).every((row) => row.leased_by === null),
    );
    const attempts = receiver.received.length;
    // The hundred that may be under way, and one in the place of each that failed before the twentieth; without it 300 deliveries make 2,100.
    expect(attempts).toBeLessThanOrEqual(100 + 19);
    const updates = await updateCounter(rig.storage);
    const deliveredElsewhere = await other();
    expect(deliveredElsewhere).toBe(true);
    expect(receiver.received.length).toBe(attempts);
    const rows = await rig.deliveriesTo(endpoint.id);
    expect(rows.filter((row) => row.leased_by !== null || row.next_attempt_at === null)).toEqual([]);
    expect(await updates()).toBeLessThanOrEqual(4);
    receiver.answer = () => ({ status: 204 });
    await rig.reached(endpoint.id, { delivered: 300 });
    expect(await open()).toBe(0);
    expect(circuits.circuitOf(endpoint.id)).toBe('closed');
    expect(receiver.received).toHaveLength(attempts + 300);
  });

  /** Another endpoint is served as if nothing were. */
  const other = async (): Promise<boolean> => {
    const receiver = await rig.receiver();
    const type = newId();
    const endpoint = await rig.endpoint(type, { url: receiver.url });
    await rig.send(type);
    await rig.reached(endpoint.id, { delivered: 1 });
    return true;
  };

  it('keeps places for endpoints that answer when ten hang', async () => {
    await rig.boot({ DELIVERY_CONCURRENCY: '100', DELIVERY_DRAIN_MS: '0' });
    const [hanging, healthy] = [await rig.receiver(), await rig.receiver()];
    hanging.answer = () => undefined;
    // Each of an account of its own: the accounts' shares do not help.
    for (let index = 0; index < 10; index++) {
      const account = { url: hanging.url, account_id: `account ${index}`, timeout_ms: 60_000 };
      await seed(rig.storage, await rig.endpoint(`hanging ${index}`, account), 50);
    }
    await eventually('they have what they can get', () => hanging.received.length >= 40);
    const well = await rig.endpoint('well', { url: healthy.url });
    await rig.send('well', 300);
    await rig.reached(well.id, { delivered: 300 });
    expect(hanging.received.length).toBeLessThanOrEqual(75);
  });

  it('gives another account’s single delivery its turn among 20,000', async () => {
    await rig.boot({ DELIVERY_CONCURRENCY: '60', DELIVERY_DRAIN_MS: '0' });
    const [slow, quick] = [await rig.receiver(), await rig.receiver()];
    slow.answer = () => ({ status: 204, delayMs: 200 });
    const flood = await Promise.all(
      Array.from({ length: 10 }, (_, index) => rig.endpoint(`flood ${index}`, { url: slow.url, account_id: 'flood' })),
    );
    const single = await rig.endpoint('single', { url: quick.url, account_id: 'single' });
    for (const endpoint of flood) await seed(rig.storage, endpoint, 2_000);
    await eventually('the flood has its share', () => slow.received.length >= 45);
    const before = slow.received.length;
    await seed(rig.storage, single, 1);
    await eventually('the single one has arrived', () => quick.received.length === 1);
    expect(slow.received.length - before).toBeLessThan(600);
    expect(rig.runner.slots.free).toBeGreaterThan(5);
  });

  it('gives one account’s dispatch no more than its share of places', async () => {
    await rig.boot({ DELIVERY_CONCURRENCY: '60', DELIVERY_DRAIN_MS: '0' });
    const slow = await rig.receiver();
    slow.answer = () => undefined;
    for (let i = 0; i < 5; i++) await rig.endpoint('flood', { url: slow.url, account_id: 'default', timeout_ms: 60_000 });
    await rig.send('flood', 500);
    const quick = await rig.receiver();
    const single = await rig.endpoint('single', { url: quick.url, account_id: 'single' });
    await seed(rig.storage, single, 100);
    await rig.reached(single.id, { delivered: 100 });
    expect(rig.runner.slots.free).toBeGreaterThan(10);
  });

  it('takes the first of each endpoint where not all bodies fit, and says of which there is more', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    const endpoints = [await rig.endpoint('a', { url: receiver.url }), await rig.endpoint('b', { url: receiver.url })];
    await rig.shutDown();
    const storage = await rig.openStorage();
    for (const endpoint of endpoints) await seed(storage, endpoint, 3, 1_000);
    const wanted = new Map(endpoints.map(({ id }) => [id, 3]));
    const { rows, cut } = await claimDue(storage, { wanted, nowMs: Date.now(), leaseUntil: Date.now() + 60_000, maxBytes: 2_500 });
    await storage.close();
    expect(rows.map((row) => row.endpoint_id).sort()).toEqual(endpoints.map(({ id }) => id).sort());
    expect([...cut].sort()).toEqual(endpoints.map(({ id }) => id).sort());
  });

  it('goes on at once where not all bodies fitted', async () => {
    await rig.boot({ DELIVERY_MAX_IN_FLIGHT_BYTES: '1048576', DELIVERY_PULL_INTERVAL_MS: '60000' });
    const receiver = await rig.receiver();
    const endpoint = await rig.endpoint('large', { url: receiver.url });
    await seed(rig.storage, endpoint, 12, 300_000);
    rig.get(Backlog).dueAt(Date.now());
    await rig.reached(endpoint.id, { delivered: 12 });
  });
});

describe('limits beside another process', () => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(ENGINES.find(({ engine }) => engine === 'postgres') as (typeof ENGINES)[number]);
  });
  afterEach(() => rig.close());

  it('leaves the other’s endpoints alone until that has given them up', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    const endpoints = await Promise.all(
      Array.from({ length: 8 }, (_, index) => rig.endpoint(`${index}`, { url: receiver.url, max_in_flight: 5 })),
    );
    const other = new ProcessTable(rig.storage, newId());
    await other.join();
    let isLeaving = false;
    const beating = (async () => {
      while (!isLeaving) {
        await other.beat();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      await other.leave();
    })();
    const delivered = async (): Promise<number> => {
      const statuses = await Promise.all(endpoints.map(({ id }) => rig.statusesOf(id)));
      return statuses.reduce((sum, status) => sum + (status.delivered ?? 0), 0);
    };
    const sendToAll = async (): Promise<void> => {
      for (let index = 0; index < endpoints.length; index++) await rig.send(`${index}`, 2);
    };
    let sent = 0;
    await eventually(
      'some deliveries wait for the other process',
      async () => {
        await sendToAll();
        sent += 2 * endpoints.length;
        return (await delivered()) < sent - 2 * endpoints.length;
      },
      { everyMs: 1_000 },
    );
    isLeaving = true;
    await beating;
    await eventually('all have arrived', async () => (await delivered()) === sent);
  });

  it('counts what the former owner still has in hand', async () => {
    await rig.boot();
    const receiver = await rig.receiver();
    const most = countingUnderWay(receiver, 30);
    const endpoint = await rig.endpoint('handed over', { url: receiver.url, max_in_flight: 3 });
    await seed(rig.storage, endpoint, 2);
    await rig.shutDown();

    const storage = await rig.openStorage();
    const former = newId();
    await storage.db.deleteFrom('deliveries').execute();
    await seed(storage, endpoint, 2);
    await storage.db
      .updateTable('deliveries')
      .set({ leased_by: former, lease_until: Date.now() + 600_000 })
      .execute();
    const row = { boot_id: former, started_at: 1, seen_at: Date.now() + 600_000, active_from: null };
    await storage.insertMany(storage.db, 'processes', [row]);
    await seed(storage, endpoint, 30);
    await storage.close();
    await rig.boot();
    await rig.reached(endpoint.id, { delivered: 30, pending: 2 });
    expect(most()).toBe(1);
    await rig.storage.db.updateTable('deliveries').set({ leased_by: null, lease_until: null }).where('leased_by', '=', former).execute();
    await rig.reached(endpoint.id, { delivered: 32 });
    await seed(rig.storage, endpoint, 30);
    await rig.reached(endpoint.id, { delivered: 62 });
    expect(most()).toBe(3);
  });
});
