import { Logger } from '@nestjs/common';
import { newId } from '../../src/core/ids';
import { ledgerImbalance } from '../../src/dispatcher/operational/facts';
import { LedgerService } from '../../src/ledger/ledger.service';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { DeliveryRig } from './delivery-rig';
import { got, monitor, refuseOperationalEvents, storedTypes } from './operational-rig';

const FIVE_DAYS_MS = 5 * 86_400_000;

describe.each(ENGINES)('operational events on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rig.close();
  });

  /** An endpoint whose receiver answers 500, and that makes a single attempt. */
  const hopeless = async (type: string, changes: Parameters<DeliveryRig['endpoint']>[1] = {}) => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    return { receiver, endpoint: await rig.endpoint(type, { url: receiver.url, retry_schedule: '[]', ...changes }) };
  };

  const sumsOf = async (source: string) => (await new LedgerService(rig.storage).sums()).find((row) => row.source === source);

  it('tells of a dead delivery, signed as any other', async () => {
    const { receiver, endpoint: watching } = await monitor(rig);
    const { endpoint } = await hopeless('order-paid');
    const [eventId = ''] = await rig.send('order-paid');
    const [body] = await got(receiver, 1);
    const [dead] = await rig.deliveriesTo(endpoint.id);
    expect(body).toMatchObject({ type: 'hookline.delivery.dead', accountId: 'default', application: 'hookline', level: null });
    expect(body?.data).toEqual({
      deliveryId: dead?.id,
      eventId,
      endpointId: endpoint.id,
      application: 'facebook',
      eventType: 'order-paid',
      attemptCount: 1,
      code: '500',
      deadClass: 'receiver',
    });
    expect(receiver.received[0]?.verified).toBe(true);
    await rig.reached(watching.id, { delivered: 1 });
    expect(await sumsOf('hookline')).toMatchObject({ accepted: 1, delivered: 1, pending: 0, door_dispatched: 0 });
    expect(await rig.ledger()).toMatchObject({ accepted: 2, delivered: 1, dead: 1 });
  });

  it('stores nothing where no filter of the account asks for it', async () => {
    await monitor(rig, { account_id: 'other' });
    await monitor(rig, {}, { eventTypes: ['endpoint.disabled'] });
    const { endpoint } = await hopeless('unheard');
    await rig.send('unheard', 3);
    await rig.reached(endpoint.id, { dead: 3 });
    expect(await storedTypes(rig)).toEqual([]);
    expect(await sumsOf('hookline')).toBeUndefined();
  });

  it('keeps what only a disabled endpoint asks for, to be replayed', async () => {
    await monitor(rig, { enabled: 0, disabled_reason: 'manual' });
    const { endpoint } = await hopeless('kept');
    await rig.send('kept');
    await rig.reached(endpoint.id, { dead: 1 });
    expect(await sumsOf('hookline')).toMatchObject({ accepted: 1, filtered: 1 });
    expect(await rig.storage.db.selectFrom('events').select('filtered_reason').where('source', '=', 'hookline').execute()).toEqual([
      { filtered_reason: 'endpoint_disabled' },
    ]);
  });

  it('tells of an endpoint that is disabled and of one that recovers, without what follows the path of its URL', async () => {
    const { receiver: watching } = await monitor(rig);
    const { receiver, endpoint } = await hopeless('failing', { retry_schedule: '[3600]' });
    await rig.changeEndpoint(endpoint.id, { url: `${endpoint.url}?token=secret` });
    await rig.send('failing');
    await eventually('it fails', async () => (await rig.readEndpoint(endpoint.id)).failing_since !== null);
    const begunAt = Date.now() - 61_000;
    await rig.changeEndpoint(endpoint.id, { failing_since: begunAt });
    receiver.answer = () => ({ status: 204 });
    await rig.send('failing');
    const about = { endpointId: endpoint.id, name: 'failing', url: receiver.url };
    const [recovered] = await got(watching, 1);
    expect(recovered).toMatchObject({ type: 'hookline.endpoint.recovered' });
    expect(recovered?.data).toEqual({ ...about, reason: 'succeeded', failingSince: new Date(begunAt).toISOString() });

    const since = Date.now() - FIVE_DAYS_MS;
    await rig.changeEndpoint(endpoint.id, { failing_since: since });
    receiver.answer = () => ({ status: 500 });
    await rig.send('failing');
    const disabled = (await got(watching, 2))[1];
    expect(disabled).toMatchObject({ type: 'hookline.endpoint.disabled' });
    expect(disabled?.data).toEqual({ ...about, reason: 'failing', failingSince: new Date(since).toISOString() });
    expect(await storedTypes(rig)).toEqual(['endpoint.recovered', 'endpoint.disabled']);
  });

  it('makes nothing of a failure that is over within a minute', async () => {
    await monitor(rig);
    const { receiver, endpoint } = await hopeless('hiccup', { retry_schedule: '[3600]' });
    await rig.send('hiccup');
    await eventually('it fails', async () => (await rig.readEndpoint(endpoint.id)).failing_since !== null);
    receiver.answer = () => ({ status: 204 });
    await rig.makeDue(endpoint.id);
    await eventually('it succeeds', async () => (await rig.readEndpoint(endpoint.id)).failing_since === null);
    expect(await storedTypes(rig)).toEqual([]);
  });

  it('tells of an endpoint that is gone', async () => {
    const { receiver: watching } = await monitor(rig);
    const { receiver, endpoint } = await hopeless('gone');
    receiver.answer = () => ({ status: 410 });
    await rig.send('gone', 5);
    const [body] = await got(watching, 1);
    expect(body?.data).toMatchObject({ endpointId: endpoint.id, reason: 'endpoint_gone' });
    await eventually('nothing is owed', async () => (await rig.ledger())['pending'] === 0);
    expect(await storedTypes(rig)).toEqual(['endpoint.disabled']);
  });

  it('makes no event of what happens to the deliveries of such events', async () => {
    const { receiver: watching, endpoint } = await monitor(rig, { retry_schedule: '[]', disable_policy: '{"kind":"failures","count":3}' });
    watching.answer = () => ({ status: 500 });
    const { endpoint: failing } = await hopeless('doomed');
    await rig.send('doomed', 5);
    await rig.reached(failing.id, { dead: 5 });
    await eventually('the one that watches is disabled', async () => (await rig.readEndpoint(endpoint.id)).enabled === 0);
    const deadOf = async (): Promise<number> => (await rig.statusesOf(endpoint.id))['dead'] ?? 0;
    expect(await deadOf()).toBeGreaterThanOrEqual(3);
    expect(await storedTypes(rig)).toEqual([...Array(5).fill('delivery.dead'), 'endpoint.disabled']);
    // Enabled by hand, and failing on: what it is sent comes to an end.
    await rig.changeEndpoint(endpoint.id, {
      enabled: 1,
      disabled_reason: null,
      failing_since: null,
      failure_count: 0,
      disable_policy: null,
    });
    await rig.reached(endpoint.id, { dead: 6 });
    expect(await storedTypes(rig)).toHaveLength(6);
    expect(await sumsOf('hookline')).toMatchObject({ accepted: 6, dead: 6, pending: 0 });
  });

  it('does not tell its reader for ever that it has recovered', async () => {
    const { receiver: watching, endpoint } = await monitor(rig, { retry_schedule: '[3600]' });
    // Each event fails at first: every one would be followed by "recovered".
    watching.answer = (_, count) => ({ status: count === 1 ? 500 : 204 });
    const { endpoint: failing } = await hopeless('once');
    await rig.send('once');
    await rig.reached(failing.id, { dead: 1 });
    await eventually('the reader fails', async () => (await rig.readEndpoint(endpoint.id)).failing_since !== null);
    await rig.changeEndpoint(endpoint.id, { failing_since: Date.now() - 61_000 });
    await rig.makeDue(endpoint.id);
    await eventually('the reader succeeds', async () => (await rig.readEndpoint(endpoint.id)).failing_since === null);
    expect(await storedTypes(rig)).toEqual(['delivery.dead']);
    expect(watching.received).toHaveLength(2);
  });

  it('books a fact and its event together or not at all', async () => {
    await monitor(rig);
    const allow = await refuseOperationalEvents(rig);
    const told = jest.spyOn(Logger.prototype, 'error');
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const { receiver, endpoint } = await hopeless('atomic');
    await rig.send('atomic');
    await eventually('its result could not be written', () => told.mock.calls.some(([line]) => String(line).includes('cannot be written')));
    expect(await rig.deliveriesTo(endpoint.id)).toMatchObject([{ status: 'pending', attempt_count: 0, settled_at: null }]);
    expect(await rig.ledger()).toMatchObject({ accepted: 1, pending: 1, dead: 0 });

    const { endpoint: failing } = await hopeless('disabling', {
      retry_schedule: '[3600]',
      disable_policy: '{"kind":"failures","count":1}',
    });
    await rig.send('disabling');
    await eventually('it could not be disabled', () => warned.mock.calls.some(([line]) => String(line).includes('state of endpoints')));
    expect(await rig.readEndpoint(failing.id)).toMatchObject({ enabled: 1, disabled_reason: null });
    expect(await storedTypes(rig)).toEqual([]);

    await allow();
    await rig.send('disabling');
    await eventually('it is disabled', async () => (await rig.readEndpoint(failing.id)).enabled === 0);
    await rig.reached(endpoint.id, { dead: 1 });
    expect((await storedTypes(rig)).sort()).toEqual(['delivery.dead', 'endpoint.disabled']);
    expect(receiver.received).toHaveLength(1);
  });

  it('leaves nothing behind when the transaction of the fact fails', async () => {
    await monitor(rig);
    const failed = rig.storage.transaction(async (trx) => {
      await rig.operational.book(trx, [ledgerImbalance({ difference: 1 })]);
      throw new Error('the fact is not true');
    });
    await expect(failed).rejects.toThrow('the fact is not true');
    expect(await storedTypes(rig)).toEqual([]);
    expect(await sumsOf('hookline')).toBeUndefined();
  });

  it('tells the account default what concerns everybody', async () => {
    const { receiver } = await monitor(rig);
    await monitor(rig, { account_id: 'other' });
    await rig.storage.transaction((trx) => rig.operational.book(trx, [ledgerImbalance({ difference: 1 })]));
    const [body] = await got(receiver, 1);
    expect(body).toMatchObject({ type: 'hookline.ledger.imbalance', accountId: 'default', data: { difference: 1 } });
    expect(await storedTypes(rig)).toEqual(['ledger.imbalance']);
  });

  it('tells of many that die at once in as many groups as they die in', async () => {
    const count = 600;
    const { receiver, endpoint: watching } = await monitor(rig);
    const { receiver: dying, endpoint } = await hopeless('flood');
    const unheard = newId();
    const { endpoint: silent } = await hopeless(unheard, { account_id: 'other' });
    dying.answer = () => ({ status: 500, delayMs: 100 });
    await rig.send('flood', count);
    await rig.reached(endpoint.id, { dead: count });
    await rig.reached(watching.id, { delivered: count });
    expect(await rig.deliveriesTo(silent.id)).toEqual([]);
    const told = new Set(receiver.bodies.map((body) => (body.data as { deliveryId: string }).deliveryId));
    expect(told.size).toBe(count);
    const groups = await rig.storage.db
      .selectFrom('ledger_deltas')
      .select('accepted')
      .where('source', '=', 'hookline')
      .where('accepted', '>', 0)
      .execute();
    expect(groups.reduce((sum, group) => sum + group.accepted, 0)).toBe(count);
    expect(groups.length).toBeLessThan(count / 2);
    expect(await sumsOf('hookline')).toMatchObject({ accepted: count, delivered: count, pending: 0 });
  });
});
