import { eventStateOf } from '../../src/dispatcher/ledger-delta';
import type { DeliveryStatus } from '../../src/core/hook-event';
import { eventually } from '../support/eventually';
import { type Answer, type Call, RestApp } from './rest-app';

type Body = Answer['body'];

/** The job once it has ended. */
export const ended = (app: RestApp, id: string): Promise<Body> =>
  eventually(
    `job ${id} ends`,
    async () => {
      const job = await app.must(200, 'GET', `/api/v1/jobs/${id}`);
      if (job.finishedAt === null) throw new Error(JSON.stringify(job));
      return job;
    },
    { deadlineMs: 30_000 },
  );

let accounts = 0;

/** A new account with a key of its own. */
export async function account(app: RestApp): Promise<{ id: string; key: string }> {
  const id = `account-${String(accounts++)}`;
  return { id, key: await app.newAccount(id) };
}

/** An endpoint that gets what the tests publish, and none of the gateway's own events about it. */
export async function subscribe(app: RestApp, url: string, endpoint: object, options: Call): Promise<{ id: string; secret: string }> {
  const { id, secret } = await app.must(201, 'POST', '/api/v1/endpoints', { url, ...endpoint }, options);
  await app.must(201, 'POST', '/api/v1/filters', { applications: ['shop', 'till'], endpointIds: [id] }, options);
  return { id, secret };
}

/** Publishes as many events of the application; gives their ids. */
export async function publishMany(app: RestApp, count: number, event: object, options: Call): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const events = Array.from({ length: Math.min(500, count - ids.length) }, () => ({ eventType: 'paid', message: 1, ...event }));
    const { data } = await app.must(202, 'POST', '/api/v1/events/batch', events, options);
    ids.push(...(data as { id: string }[]).map(({ id }) => id));
  }
  return ids;
}

/** Waits until the endpoint's deliveries are exactly so. */
export async function reached(app: RestApp, endpointId: string, wanted: Record<string, number>): Promise<void> {
  await eventually(
    `deliveries are ${JSON.stringify(wanted)}`,
    async () => {
      const rows = await app.storage.db
        .selectFrom('deliveries')
        .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
        .where('endpoint_id', '=', endpointId)
        .groupBy('status')
        .execute();
      const counts = Object.fromEntries(rows.map((row) => [row.status, Number(row.count)]));
      try {
        expect(counts).toEqual(wanted);
      } catch {
        const open = app.storage.db.selectFrom('deliveries').selectAll().where('endpoint_id', '=', endpointId);
        const first = await open.where('next_attempt_at', 'is not', null).limit(1).executeTakeFirst();
        throw new Error(`they are ${JSON.stringify(counts)} at ${String(Date.now())}, of the open ones ${JSON.stringify(first)}`);
      }
      return true;
    },
    { deadlineMs: 20_000 },
  );
}

/** The ledger, which must be what the rows say: each event by its deliveries, and filtered where it has none. */
export async function exactLedger(app: RestApp): Promise<Record<string, number>> {
  const { db } = app.storage;
  return eventually('the ledger is what the rows say', async () => {
    const events = await db.selectFrom('events').select(['id', 'fan_out']).execute();
    const statuses = new Map<string, DeliveryStatus[]>();
    const rows = await db.selectFrom('deliveries').select(['event_id', 'status', 'fan_out']).execute();
    for (const row of rows) statuses.set(row.event_id, [...(statuses.get(row.event_id) ?? []), row.status as DeliveryStatus]);
    const counts: Record<string, number> = { accepted: events.length, delivered: 0, filtered: 0, dead: 0, cancelled: 0, pending: 0 };
    for (const { id, fan_out } of events) {
      const own = statuses.get(id) ?? [];
      expect(fan_out).toBe(own.length);
      const state = own.length === 0 ? 'filtered' : eventStateOf(own);
      counts[state] = (counts[state] ?? 0) + 1;
    }
    const fanOuts = new Map(events.map((event) => [event.id, event.fan_out]));
    for (const row of rows) expect(row.fan_out).toBe(fanOuts.get(row.event_id));
    const total = await app.ledger();
    expect({ ...total, accepted: (total['accepted'] ?? 0) - (total['duplicate'] ?? 0) }).toMatchObject(counts);
    return total;
  });
}
