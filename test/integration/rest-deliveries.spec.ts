import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { type Answer, ENGINES, RestApp } from './rest-app';

const NO_ID = '019346a0-0000-7000-8000-000000000001';
const DELIVERIES = '/api/v1/deliveries';

describe.each(ENGINES)('deliveries over REST on %s', (engine) => {
  let app: RestApp;
  let receiver: Receiver;
  let keyB: string;
  let accounts = 0;

  beforeAll(async () => {
    app = await RestApp.start(engine);
    keyB = await app.newAccount('b');
  });

  afterAll(() => app?.close());

  beforeEach(async () => (receiver = await Receiver.start()));
  afterEach(() => receiver.stop());

  /** An account of the test's own with an endpoint at the receiver for each schedule, and an event sent to them. */
  async function publish(...endpoints: object[]): Promise<{ key: string; eventId: string; endpointIds: string[] }> {
    const key = await app.newAccount(`account-${String(accounts++)}`);
    const endpointIds: string[] = [];
    for (const endpoint of endpoints) endpointIds.push((await app.subscribe(receiver.url, endpoint, { key })).id);
    const { id } = await app.must(202, 'POST', '/api/v1/events', { application: 'shop', eventType: 'paid', message: 1 }, { key });
    return { key, eventId: id as string, endpointIds };
  }

  const only = async (eventId: string): Promise<Answer['body']> => (await app.must(200, 'GET', `/api/v1/events/${eventId}`)).deliveries[0];

  const deliveryIs = (id: string, expected: object): Promise<Answer['body']> =>
    eventually(`delivery is ${JSON.stringify(expected)}`, async () => {
      const delivery = await app.must(200, 'GET', `${DELIVERIES}/${id}`);
      expect(delivery).toMatchObject({ inFlight: false, ...expected });
      return delivery;
    });

  it('shows one with its attempts', async () => {
    receiver.answer = () => ({ status: 503, body: 'come back later' });
    const { key, eventId, endpointIds } = await publish({ retrySchedule: [3_600] });
    const { id } = await only(eventId);
    const delivery = await deliveryIs(id, { status: 'waiting' });
    expect(await app.must(200, 'GET', `${DELIVERIES}/${id}`, undefined, { key })).toEqual(delivery);
    expect(delivery).toEqual({
      id,
      eventId,
      endpointId: endpointIds[0],
      accountId: expect.stringMatching(/^account-/),
      status: 'waiting',
      reason: null,
      deadClass: null,
      nextAttemptAt: expect.any(String),
      attemptCount: 1,
      inFlight: false,
      createdAt: expect.any(String),
      settledAt: null,
      attempts: [
        {
          at: expect.any(String),
          status: 'failed',
          code: '503',
          durationMs: expect.any(Number),
          address: '127.0.0.1',
          responseHead: 'come back later',
        },
      ],
    });
    expect(Date.parse(delivery.nextAttemptAt)).toBeGreaterThan(Date.now() + 2_000_000);
  });

  it('brings a waiting one forward', async () => {
    receiver.answer = (_request, count) => ({ status: count === 1 ? 500 : 204 });
    const { key, eventId } = await publish({ retrySchedule: [3_600] });
    const { id } = await only(eventId);
    await deliveryIs(id, { status: 'waiting' });
    const answer = await app.must(202, 'POST', `${DELIVERIES}/${id}/retry`, undefined, { key });
    expect(answer).toMatchObject({ id, status: 'waiting', attemptCount: 1 });
    expect((await deliveryIs(id, { status: 'delivered' })).attempts).toHaveLength(2);
    await app.ledger();
  });

  it('tries a dead one again, and one that was delivered, with the same webhook-id and a ledger that adds up', async () => {
    receiver.answer = (_request, count) => ({ status: count === 1 ? 500 : 204 });
    const before = await app.ledger();
    const { eventId } = await publish({ retrySchedule: [] });
    const { id } = await only(eventId);
    await deliveryIs(id, { status: 'dead', deadClass: 'receiver', reason: '500' });
    expect((await app.ledger())['dead']).toBe((before['dead'] ?? 0) + 1);
    expect(await app.must(202, 'POST', `${DELIVERIES}/${id}/retry`)).toMatchObject({
      status: 'waiting',
      reason: null,
      deadClass: null,
      settledAt: null,
    });
    await deliveryIs(id, { status: 'delivered', attemptCount: 2 });
    await app.must(202, 'POST', `${DELIVERIES}/${id}/retry`);
    await deliveryIs(id, { status: 'delivered', attemptCount: 3 });
    expect(receiver.received.map((request) => request.id)).toEqual([eventId, eventId, eventId]);
    const after = await app.ledger();
    expect(after).toMatchObject({ delivered: (before['delivered'] ?? 0) + 1, dead: before['dead'], pending: before['pending'] });
  });

  it('cancels an open one, and tries it again when asked to', async () => {
    receiver.answer = () => ({ status: 500 });
    const { key, eventId } = await publish({ retrySchedule: [3_600] });
    const { id } = await only(eventId);
    await deliveryIs(id, { status: 'waiting' });
    const before = await app.ledger();
    const cancelled = await app.must(200, 'POST', `${DELIVERIES}/${id}/cancel`, undefined, { key });
    expect(cancelled).toMatchObject({ status: 'cancelled', reason: 'manual', nextAttemptAt: null });
    expect(await app.must(200, 'POST', `${DELIVERIES}/${id}/cancel`)).toEqual(cancelled);
    expect(await app.ledger()).toMatchObject({ cancelled: (before['cancelled'] ?? 0) + 1, pending: (before['pending'] ?? 0) - 1 });
    receiver.answer = () => ({ status: 204 });
    await app.must(202, 'POST', `${DELIVERIES}/${id}/retry`);
    await deliveryIs(id, { status: 'delivered' });
    expect((await app.call('POST', `${DELIVERIES}/${id}/cancel`)).body).toMatchObject({ status: 409, code: 'conflict' });
    expect(await app.ledger()).toMatchObject({ cancelled: before['cancelled'] });
  });

  it('counts an event with several deliveries once', async () => {
    receiver.answer = () => ({ status: 500 });
    const before = await app.ledger();
    const { eventId } = await publish({ retrySchedule: [3_600, 3_600] }, { retrySchedule: [3_600] });
    const { deliveries } = await app.must(200, 'GET', `/api/v1/events/${eventId}`);
    for (const { id } of deliveries) await deliveryIs(id, { status: 'waiting' });
    await Promise.all(deliveries.map(({ id }: { id: string }) => app.must(200, 'POST', `${DELIVERIES}/${id}/cancel`)));
    const after = await app.ledger();
    expect(after).toMatchObject({ cancelled: (before['cancelled'] ?? 0) + 1, pending: before['pending'] });
    await app.must(202, 'POST', `${DELIVERIES}/${deliveries[0].id}/retry`);
    await deliveryIs(deliveries[0].id, { attemptCount: 2 });
    expect(await app.ledger()).toMatchObject({ pending: (before['pending'] ?? 0) + 1, cancelled: before['cancelled'] });
  });

  it('is what the ledger says, however many change it at once', async () => {
    receiver.answer = () => ({ status: 500 });
    const before = await app.ledger();
    const { eventId } = await publish({ retrySchedule: Array(50).fill(3_600) });
    const { id } = await only(eventId);
    await deliveryIs(id, { status: 'waiting' });
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => app.call('POST', `${DELIVERIES}/${id}/${index % 2 === 0 ? 'cancel' : 'retry'}`)),
      );
      for (const { status } of answers) expect([200, 202, 409]).toContain(status);
    }
    // Until nothing is due any more.
    await eventually('it rests', async () => {
      const { status, inFlight, nextAttemptAt } = await app.must(200, 'GET', `${DELIVERIES}/${id}`);
      return !inFlight && (status === 'cancelled' || Date.parse(nextAttemptAt as string) > Date.now());
    });
    const state = (await app.must(200, 'GET', `/api/v1/events/${eventId}`)).status as string;
    expect(await app.ledger()).toEqual({ ...before, accepted: (before['accepted'] ?? 0) + 1, [state]: (before[state] ?? 0) + 1 });
  });

  it('leaves one alone while an attempt is under way', async () => {
    receiver.answer = () => undefined;
    const { eventId } = await publish({ timeoutMs: 60_000, retrySchedule: [] });
    await eventually('it arrives', () => receiver.received.length === 1);
    const { id, inFlight } = await only(eventId);
    expect(inFlight).toBe(true);
    for (const action of ['retry', 'cancel']) {
      expect((await app.call('POST', `${DELIVERIES}/${id}/${action}`)).body).toMatchObject({ status: 409, code: 'conflict' });
    }
    await receiver.stop();
    receiver = await Receiver.start();
    await deliveryIs(id, { status: 'dead' });
  });

  it('is not there for the key of another account', async () => {
    const { eventId } = await publish({});
    const { id } = await only(eventId);
    for (const missing of [id, NO_ID, 'no-id']) {
      await app.must(404, 'GET', `${DELIVERIES}/${missing}`, undefined, { key: keyB });
      await app.must(404, 'POST', `${DELIVERIES}/${missing}/retry`, undefined, { key: keyB });
      await app.must(404, 'POST', `${DELIVERIES}/${missing}/cancel`, undefined, { key: keyB });
    }
    expect((await app.must(200, 'GET', DELIVERIES, undefined, { key: keyB })).data).toEqual([]);
  });

  it('lists the newest first, by status, endpoint and time, page by page', async () => {
    receiver.answer = ({ headers }) => ({ status: headers['x-fail'] === undefined ? 204 : 500 });
    const fails = { headers: { 'X-Fail': '1' }, retrySchedule: [] };
    const { key, endpointIds } = await publish({}, fails);
    for (let count = 0; count < 4; count++) {
      await app.must(202, 'POST', '/api/v1/events', { application: 'shop', eventType: 'paid', message: count }, { key });
    }
    const list = async (query: string): Promise<Answer['body'][]> => {
      const seen: Answer['body'][] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = await app.must(200, 'GET', `${DELIVERIES}?limit=2&${query}${next}`, undefined, { key });
        seen.push(...page.data);
        cursor = page.nextCursor;
      }
      return seen;
    };
    await eventually(
      'all are settled',
      async () => (await list('status=dead')).length === 5 && (await list('status=delivered')).length === 5,
    );
    const all = await list('');
    expect(all.map((delivery) => delivery.id)).toEqual(
      all
        .map((delivery) => delivery.id)
        .sort()
        .reverse(),
    );
    expect(all).toHaveLength(10);
    expect(new Set((await list('status=dead')).map((delivery) => delivery.endpointId))).toEqual(new Set([endpointIds[1]]));
    expect(await list(`endpointId=${endpointIds[0]}&status=delivered`)).toHaveLength(5);
    expect(await list(`endpointId=${endpointIds[0]}&status=dead`)).toEqual([]);
    expect(await list(`since=${encodeURIComponent(new Date(Date.now() + 1_000).toISOString())}`)).toEqual([]);
    expect(await list('since=2020-01-01')).toHaveLength(10);
    for (const query of ['status=lost', 'since=x', 'limit=0', 'cursor=x']) await app.must(400, 'GET', `${DELIVERIES}?${query}`);
    await app.must(404, 'GET', `${DELIVERIES}?endpointId=x`);
  });
});
