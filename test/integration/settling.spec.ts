import { sql } from 'kysely';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayError } from '../../src/core/errors';
import { newId } from '../../src/core/ids';
import { faulty } from '../../src/dispatcher/delivery/attempter';
import { RegistryService } from '../../src/dispatcher/registry/registry.service';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { DeliveryRig } from './delivery-rig';

/** Statements by which a delivery's row can be settled no more, and those by which it can again. */
const REFUSALS = {
  sqlite: (id: string) => ({
    refuse: [
      `create trigger refuse before update on deliveries when new.id = '${id}' and new.status <> old.status
       begin select raise(abort, 'refused'); end`,
    ],
    mend: ['drop trigger refuse'],
  }),
  postgres: (id: string) => ({
    refuse: [
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`,
      `create trigger refuse before update on deliveries for each row
       when (new.id = '${id}' and new.status <> old.status) execute function refuse()`,
    ],
    mend: ['drop trigger refuse on deliveries', 'drop function refuse'],
  }),
};

describe.each(ENGINES)('settling on $engine', (engine) => {
  let rig: DeliveryRig;
  let server: Server;
  let held: ServerResponse[];

  beforeAll(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot();
    server = createServer((request, response) => {
      request.resume();
      held.push(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => (held = []));
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rig.close();
  });

  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const answer = (status: number) => {
    for (const response of held) response.writeHead(status).end();
  };

  /** Adds a delivery to an event that has one, as a replay does. */
  const addDelivery = (eventId: string) =>
    rig.storage.transaction(async (trx) => {
      const first = await trx.selectFrom('deliveries').selectAll().where('id', '=', eventId).executeTakeFirstOrThrow();
      const added = { id: newId(), fan_out: 2, status: 'pending', leased_by: null, lease_until: null, next_attempt_at: 9e12 };
      await trx.updateTable('deliveries').set({ fan_out: 2 }).where('id', '=', eventId).execute();
      await trx.updateTable('events').set({ fan_out: 2 }).where('id', '=', eventId).execute();
      await rig.storage.insertMany(trx, 'deliveries', [{ ...first, ...added }]);
      return added.id;
    });

  it.each([
    [200, 'delivered'],
    [410, 'cancelled'],
  ])('leaves an event pending that got another delivery while a %i was on its way', async (status, settled) => {
    const endpoint = await rig.endpoint(`raised-${status}`, { url: url() });
    const before = await rig.ledger();
    const [eventId = ''] = await rig.send(`raised-${status}`);
    await eventually('the attempt is under way', () => held.length === 1);
    const added = await addDelivery(eventId);
    answer(status);
    await eventually('the first is settled', async () => {
      const row = (await rig.deliveriesTo(endpoint.id)).find(({ id }) => id === eventId);
      return row?.status === settled;
    });
    const other = { status: 'cancelled', next_attempt_at: null };
    // A gone endpoint's other deliveries are cancelled by the gateway itself.
    if (status === 200) {
      expect(await rig.ledger()).toMatchObject({ accepted: (before.accepted ?? 0) + 1, pending: (before.pending ?? 0) + 1 });
      expect(await rig.attemptsOf(eventId)).toMatchObject([{ number: 1, code: '200' }]);
      await rig.storage.db.updateTable('deliveries').set(other).where('id', '=', added).execute();
    } else {
      await rig.reached(endpoint.id, { cancelled: 2 });
      expect(await rig.ledger()).toMatchObject({ pending: before.pending, cancelled: (before.cancelled ?? 0) + 1 });
    }
  });

  it('writes results of one group that go different ways, each with its attempt', async () => {
    const endpoints = await Promise.all(
      ['[]', '[60]', '[60]'].map((retry_schedule, index) => rig.endpoint(`mixed-${index}`, { url: url(), retry_schedule })),
    );
    const before = await rig.ledger();
    await Promise.all(endpoints.map((_, index) => rig.send(`mixed-${index}`)));
    await eventually('the attempts are under way', () => held.length === 3);
    held.forEach((response, index) => response.writeHead([500, 500, 200][index] ?? 0).end());
    await eventually('all are settled', async () => {
      const rows = (await Promise.all(endpoints.map(({ id }) => rig.deliveriesTo(id)))).flat();
      return rows.every((row) => row.leased_by === null);
    });
    const rows = (await Promise.all(endpoints.map(({ id }) => rig.deliveriesTo(id)))).flat();
    for (const row of rows) expect(await rig.attemptsOf(row.id)).toMatchObject([{ number: 1, delivery_id: row.id }]);
    const counts = { delivered: 0, waiting: 0, dead: 0, ...Object.fromEntries(rows.map((row) => [row.status, 0])) };
    for (const { status } of rows) counts[status as keyof typeof counts] += 1;
    expect(await rig.ledger()).toMatchObject({
      delivered: (before.delivered ?? 0) + counts.delivered,
      dead: (before.dead ?? 0) + counts.dead,
      pending: (before.pending ?? 0) + counts.waiting,
    });
  });

  it('writes a result whose attempt cannot be recorded, beside others, instead of sending it for ever', async () => {
    const endpoints = await Promise.all([0, 1, 2].map((index) => rig.endpoint(`unrecorded-${index}`, { url: url() })));
    const before = await rig.ledger();
    const [first = []] = await Promise.all(endpoints.map((_, index) => rig.send(`unrecorded-${index}`)));
    await eventually('the attempts are under way', () => held.length === 3);
    // An attempt that nobody knows of has this one's number.
    const stray = { delivery_id: first[0] ?? '', number: 1, at: 1, status: 'failed', code: '500', duration_ms: 1 };
    await rig.storage.insertMany(rig.storage.db, 'attempts', [{ ...stray, address: null, response_head: null }]);
    answer(200);
    for (const { id } of endpoints) await rig.reached(id, { delivered: 1 });
    expect(await rig.ledger()).toMatchObject({ pending: before.pending, delivered: (before.delivered ?? 0) + 3 });
    expect(held).toHaveLength(3);
  });

  it('keeps a result whose row refuses to change, and writes it once the row is mended', async () => {
    const { sqlite, postgres } = REFUSALS;
    const endpoint = await rig.endpoint('refused', { url: url() });
    const other = await rig.endpoint('accepted', { url: url() });
    const [deliveryId = ''] = await rig.send('refused');
    await rig.send('accepted');
    await eventually('the attempts are under way', () => held.length === 2);
    const { refuse, mend } = rig.storage.engine === 'sqlite' ? sqlite(deliveryId) : postgres(deliveryId);
    for (const statement of refuse) await sql.raw(statement).execute(rig.storage.db);
    answer(200);
    await rig.reached(other.id, { delivered: 1 });
    await eventually('it is told of', async () => (await rig.metrics.unwritten.get()).values[0]?.value === 1);
    for (const statement of mend) await sql.raw(statement).execute(rig.storage.db);
    await rig.reached(endpoint.id, { delivered: 1 });
    expect((await rig.metrics.unwritten.get()).values).toMatchObject([{ value: 0 }]);
    expect(held).toHaveLength(2);
  });

  it('leaves an attempt under way alone when its delivery is claimed again and cannot be read', async () => {
    const { id } = await rig.endpoint('again', { url: url() });
    const free = rig.runner.slots.free;
    const [deliveryId = ''] = await rig.send('again');
    await eventually('the attempt is under way', () => held.length === 1);
    const endpoint = rig.get(RegistryService).snapshot.endpoint(id);
    expect(endpoint && rig.runner.slots.take(endpoint)).toBe(true);
    const delivery = { deliveryId, endpointId: id, attemptCount: 0, fanOut: 1, eventId: deliveryId, source: 'facebook' };
    rig.runner.settleUnattempted(faulty(delivery, 'event_missing'));
    answer(200);
    await rig.reached(id, { delivered: 1 });
    await eventually('every place is free again', () => rig.runner.slots.free === free);
  });

  it('tries again in time what was claimed before it knew that the last result is written', async () => {
    const endpoint = await rig.endpoint('lost answer', { url: url(), retry_schedule: '[0.01,0.01,600]', timeout_ms: 60_000 });
    await rig.send('lost answer');
    await eventually('it is attempted', () => held.length === 1);
    const write = engine.engine === 'postgres' ? 'execute' : 'transaction';
    const original = rig.storage[write].bind(rig.storage) as (work: never) => Promise<never>;
    let hasLost = false;
    rig.storage[write] = async (work: never): Promise<never> => {
      const answered = await original(work);
      const [delivery] = hasLost ? [] : await rig.deliveriesTo(endpoint.id);
      if (delivery?.attempt_count !== 1) return answered;
      hasLost = true;
      throw new GatewayError('storage_unavailable', 'The answer is lost');
    };
    try {
      answer(500);
      // Else not before its lease has run out, after ten seconds at least.
      await eventually('it is attempted again', () => held.length === 2, { deadlineMs: 8_000 });
      held[1]?.writeHead(204).end();
      await rig.reached(endpoint.id, { delivered: 1 });
      expect(hasLost).toBe(true);
      expect(held).toHaveLength(2);
    } finally {
      rig.storage[write] = original;
    }
  });
});
