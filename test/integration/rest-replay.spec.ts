import { newId } from '../../src/core/ids';
import { Receiver } from '../support/receiver';
import { eventually } from '../support/eventually';
import { account, ended, exactLedger, publishMany, reached, subscribe } from './recovery-rig';
import { type Answer, ENGINES, RestApp, paths } from './rest-app';

const NO_ID = '019346a0-0000-7000-8000-000000000001';
const AGES_AGO = '2026-01-01T00:00:00Z';

describe.each(ENGINES)('replaying and testing over REST on %s', (engine) => {
  let app: RestApp;
  let receiver: Receiver;

  beforeAll(async () => (app = await RestApp.start(engine, { DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0' })));
  afterAll(() => app?.close());
  beforeEach(async () => (receiver = await Receiver.start()));
  afterEach(() => receiver.stop());

  const replay = (endpointId: string, body: object, key: string, status = 202): Promise<Answer['body']> =>
    app.must(status, 'POST', `/api/v1/endpoints/${endpointId}/replay`, { since: AGES_AGO, ratePerSecond: 10_000, ...body }, { key });

  const replayed = async (endpointId: string, body: object, key: string): Promise<Answer['body']> =>
    ended(app, (await replay(endpointId, body, key)).id);

  const ids = (): string[] => receiver.received.map((request) => request.id).sort();

  it('sends filtered events to an endpoint that was made after them, once', async () => {
    const { key } = await account(app);
    const events = await publishMany(app, 1_200, { application: 'shop' }, { key });
    const before = await exactLedger(app);
    const { id: endpointId, secret } = await subscribe(app, receiver.url, {}, { key });
    receiver.secrets = [secret];
    expect(await replay(endpointId, { dryRun: true }, key, 200)).toEqual({ count: 1_200, isLowerBound: false });
    const job = await replayed(endpointId, {}, key);
    expect(job).toMatchObject({ kind: 'replay', state: 'done', endpointId, total: 1_200, examined: 1_200, changed: 1_200, error: null });
    await reached(app, endpointId, { delivered: 1_200 });
    expect(ids()).toEqual([...events].sort());
    expect(receiver.received.every((request) => request.verified)).toBe(true);
    const after = await exactLedger(app);
    expect(after).toMatchObject({
      accepted: before['accepted'],
      filtered: (before['filtered'] ?? 0) - 1_200,
      delivered: (before['delivered'] ?? 0) + 1_200,
    });
    expect(await app.must(200, 'GET', `/api/v1/events/${events[0] ?? ''}`)).toMatchObject({ status: 'delivered', filteredReason: null });
    expect(await replay(endpointId, { dryRun: true }, key, 200)).toEqual({ count: 0, isLowerBound: false });
    expect(await replayed(endpointId, {}, key)).toMatchObject({ total: 0, changed: 0 });
    expect(receiver.received).toHaveLength(1_200);
  });

  it('redrives what is dead or cancelled, makes what is missing, and leaves alone what is open or delivered', async () => {
    const { key } = await account(app);
    const { id: endpointId } = await subscribe(app, receiver.url, { retrySchedule: [3_600] }, { key });
    const other = await Receiver.start();
    await subscribe(app, other.url, {}, { key });
    const publish = async (count: number, status: number): Promise<string[]> => {
      receiver.answer = () => ({ status });
      return publishMany(app, count, { application: 'shop' }, { key });
    };
    const delivered = await publish(3, 204);
    await reached(app, endpointId, { delivered: 3 });
    const cancelled = await publish(4, 500);
    await reached(app, endpointId, { delivered: 3, waiting: 4 });
    await ended(app, (await app.must(202, 'POST', '/api/v1/deliveries/cancel', { filter: { endpointId } }, { key })).id);
    const waiting = await publish(5, 500);
    await reached(app, endpointId, { delivered: 3, cancelled: 4, waiting: 5 });
    await app.must(200, 'PATCH', `/api/v1/endpoints/${endpointId}`, { retrySchedule: [] });
    const dead = await publish(6, 500);
    await reached(app, endpointId, { delivered: 3, cancelled: 4, waiting: 5, dead: 6 });
    // Its filter is gone for a while: these have a delivery to the other endpoint alone.
    const { data: filters } = await app.must(200, 'GET', '/api/v1/filters', undefined, { key });
    const own = filters.find((filter: { endpointIds: string[] }) => filter.endpointIds.includes(endpointId)).id;
    await app.must(200, 'PATCH', `/api/v1/filters/${own as string}`, { enabled: false });
    const missing = await publish(7, 204);
    await eventually('the other has all', () => other.received.length === 25);
    await app.must(200, 'PATCH', `/api/v1/filters/${own as string}`, { enabled: true });
    receiver.clear();
    expect(await replay(endpointId, { dryRun: true }, key, 200)).toMatchObject({ count: 17 });
    expect(await replayed(endpointId, {}, key)).toMatchObject({ total: 17, changed: 17 });
    await reached(app, endpointId, { delivered: 3 + 17, waiting: 5 });
    expect(ids()).toEqual([...cancelled, ...dead, ...missing].sort());
    expect([...delivered, ...waiting].filter((id) => ids().includes(id))).toEqual([]);
    expect(other.received).toHaveLength(25);
    await exactLedger(app);
    await other.stop();
  });

  it('chooses by time, by what the endpoint’s filters match now, or by a filter of its own', async () => {
    const { key } = await account(app);
    await publishMany(app, 2, { application: 'shop', level: 'info' }, { key });
    await publishMany(app, 3, { application: 'till', eventType: 'opened' }, { key });
    await publishMany(app, 4, { application: 'door' }, { key });
    const { id: endpointId } = await subscribe(app, receiver.url, {}, { key });
    const { id: unnamed } = await app.must(201, 'POST', '/api/v1/endpoints', { url: receiver.url }, { key });
    const cases: [string, object, number][] = [
      [endpointId, {}, 5],
      [unnamed, {}, 0],
      [unnamed, { filter: {} }, 9],
      [unnamed, { filter: { applications: ['door', 'till'] } }, 7],
      [unnamed, { filter: { eventTypes: ['opened'] } }, 3],
      [unnamed, { filter: { levels: ['info'] } }, 2],
      [unnamed, { filter: { levels: ['info'], applications: ['door'] } }, 0],
      [unnamed, { filter: {}, until: AGES_AGO }, 0],
      [unnamed, { filter: {}, since: new Date(Date.now() + 60_000).toISOString() }, 0],
    ];
    for (const [id, body, count] of cases) {
      expect([body, await replay(id, { ...body, dryRun: true }, key, 200)]).toEqual([body, { count, isLowerBound: false }]);
    }
    expect(await replayed(unnamed, { filter: { eventTypes: ['opened'] } }, key)).toMatchObject({
      changed: 3,
      filter: { applications: [], eventTypes: ['opened'], levels: [], since: '2026-01-01T00:00:00.000Z' },
    });
    await reached(app, unnamed, { delivered: 3 });
    expect(await replayed(endpointId, {}, key)).toMatchObject({ changed: 5 });
    await reached(app, endpointId, { delivered: 5 });
    await exactLedger(app);
  });

  it('keeps the ledger exact while other deliveries of the same events are being settled', async () => {
    const { key } = await account(app);
    receiver.answer = () => ({ status: 204, delayMs: 5 });
    const { id: first } = await subscribe(app, receiver.url, {}, { key });
    const late: string[] = [];
    for (let i = 0; i < 3; i++) late.push((await app.must(201, 'POST', '/api/v1/endpoints', { url: receiver.url }, { key })).id);
    let isPublishing = true;
    const publishing = (async () => {
      let count = 0;
      while (count < 1_500) count += (await publishMany(app, 50, { application: 'shop' }, { key })).length;
      isPublishing = false;
      return count;
    })();
    // Each replay meets events whose first delivery is just attempted, waits to be settled, or is settled.
    while (isPublishing) for (const id of late) await replayed(id, { filter: { applications: ['shop'] } }, key);
    const count = await publishing;
    for (const id of late) await replayed(id, { filter: { applications: ['shop'] } }, key);
    for (const id of [first, ...late]) await reached(app, id, { delivered: count });
    await exactLedger(app);
  });

  it('ends when its endpoint is disabled meanwhile', async () => {
    const { key } = await account(app);
    await publishMany(app, 100, { application: 'shop' }, { key });
    const { id: endpointId } = await subscribe(app, receiver.url, {}, { key });
    const { id } = await replay(endpointId, { ratePerSecond: 5 }, key);
    await eventually('it has begun', () => receiver.received.length > 0);
    await app.must(200, 'POST', `/api/v1/endpoints/${endpointId}/disable`);
    const job = await ended(app, id);
    expect(job).toMatchObject({ state: 'failed', error: expect.stringContaining('disabled') });
    expect((await app.call('POST', `/api/v1/endpoints/${endpointId}/replay`, { since: AGES_AGO }, { key })).body.code).toBe('conflict');
    await app.must(200, 'POST', `/api/v1/endpoints/${endpointId}/enable`);
    await replayed(endpointId, {}, key);
    await reached(app, endpointId, { delivered: 100 });
    expect(new Set(ids()).size).toBe(receiver.received.length);
  });

  it('sends an example to the endpoint alone, by the way that every event goes', async () => {
    const { key } = await account(app);
    const { id: endpointId, secret } = await app.must(201, 'POST', '/api/v1/endpoints', { url: receiver.url }, { key });
    receiver.secrets = [secret];
    const bystander = await Receiver.start();
    await app.subscribe(bystander.url, {}, { key });
    await publishMany(app, 1, { application: 'shop', message: 'private' }, { key });
    await eventually('the bystander has it', () => bystander.received.length === 1);
    const before = await exactLedger(app);
    const path = `/api/v1/endpoints/${endpointId}/test`;
    const answer = await app.call('POST', path, undefined, { key });
    expect(answer).toMatchObject({ status: 202, body: { eventId: expect.any(String), deliveryId: expect.any(String) } });
    expect(answer.headers.get('location')).toBe(`/api/v1/deliveries/${answer.body.deliveryId}`);
    const event = await app.eventIs(answer.body.eventId, 'delivered');
    expect(event).toMatchObject({ source: 'test', deliveries: [{ id: answer.body.deliveryId, endpointId, attempts: [{ code: '204' }] }] });
    const sent = await app.call('POST', path, '{"application": "shop", "eventType": "paid", "message": {"n": 12345678901234567890}}', {
      key,
    });
    await app.eventIs(sent.body.eventId, 'delivered');
    expect(receiver.received.every((request) => request.verified)).toBe(true);
    expect(receiver.bodies).toMatchObject([
      { id: answer.body.eventId, type: 'hookline.test', data: { text: 'This is an example. Nothing has happened.' } },
      { id: sent.body.eventId, type: 'shop.paid' },
    ]);
    expect(receiver.received[1]?.body.toString()).toContain('{"n": 12345678901234567890}');
    expect(bystander.received).toHaveLength(1);
    const after = await exactLedger(app);
    expect([after['accepted'], after['delivered']]).toEqual([(before['accepted'] ?? 0) + 2, (before['delivered'] ?? 0) + 2]);
    // An example is no past event.
    expect(await replay(endpointId, { filter: {}, dryRun: true }, key, 200)).toMatchObject({ count: 1 });
    await app.must(200, 'POST', `/api/v1/endpoints/${endpointId}/disable`);
    expect((await app.call('POST', path, undefined, { key })).body).toMatchObject({ status: 409, code: 'conflict' });
    await bystander.stop();
  });

  it('keeps accounts apart, and refuses what is no replay and no example', async () => {
    const [mine, theirs] = [await account(app), await account(app)];
    const { id } = await app.must(201, 'POST', '/api/v1/endpoints', { url: receiver.url }, { key: theirs.key });
    for (const endpointId of [id, NO_ID, newId(), 'x']) {
      for (const [route, body] of [
        ['replay', { since: AGES_AGO }],
        ['test', {}],
      ] as const) {
        const answer = await app.call('POST', `/api/v1/endpoints/${endpointId as string}/${route}`, body, { key: mine.key });
        expect([route, answer.status]).toEqual([route, 404]);
      }
    }
    const refused = async (route: string, body: unknown): Promise<[number, string[]]> => {
      const answer = await app.call('POST', `/api/v1/endpoints/${id as string}/${route}`, body);
      return [answer.status, [...new Set(paths(answer))]];
    };
    expect(await refused('replay', {})).toEqual([422, ['since']]);
    expect(await refused('replay', { since: AGES_AGO, filter: { where: 1 } })).toEqual([422, ['filter.where']]);
    expect(await refused('replay', { since: AGES_AGO, filter: { levels: [1] } })).toEqual([422, ['filter.levels']]);
    expect(await refused('test', { eventType: '' })).toEqual([422, ['eventType']]);
    expect(await refused('test', { body: 1 })).toEqual([422, ['body']]);
    expect((await app.call('POST', `/api/v1/endpoints/${id as string}/test`, '{"message": tru}')).body.code).toBe('malformed_json');
    await publishMany(app, 5, { application: 'shop' }, { key: mine.key });
    expect(await replay(id, { filter: {}, dryRun: true }, theirs.key, 200)).toMatchObject({ count: 0 });
    expect(receiver.received).toEqual([]);
  });
});
