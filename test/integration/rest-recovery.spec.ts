import { Receiver } from '../support/receiver';
import { account, ended, exactLedger, publishMany, reached, subscribe } from './recovery-rig';
import { type Answer, ENGINES, RestApp, paths } from './rest-app';

const NO_ID = '019346a0-0000-7000-8000-000000000001';
const REDRIVE = '/api/v1/deliveries/redrive';
const CANCEL = '/api/v1/deliveries/cancel';

describe.each(ENGINES)('bulk recovery over REST on %s', (engine) => {
  let app: RestApp;
  let receiver: Receiver;

  // Hundreds of deliveries die here on purpose.
  beforeAll(async () => (app = await RestApp.start(engine, { DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0' })));
  afterAll(() => app?.close());
  beforeEach(async () => (receiver = await Receiver.start()));
  afterEach(() => receiver.stop());

  /** An account with an endpoint and as many deliveries of it that are dead. */
  async function dead(
    count: number,
    endpoint: object = {},
  ): Promise<{ account: string; key: string; endpointId: string; events: string[] }> {
    receiver.answer = () => ({ status: 500 });
    const { id, key } = await account(app);
    const { id: endpointId, secret } = await subscribe(app, receiver.url, { retrySchedule: [], ...endpoint }, { key });
    receiver.secrets = [secret];
    const events = await publishMany(app, count, { application: 'shop' }, { key });
    await reached(app, endpointId, { dead: count });
    receiver.clear();
    receiver.answer = () => ({ status: 204 });
    return { account: id, key, endpointId, events };
  }

  const begin = (path: string, body: object, key?: string): Promise<Answer['body']> =>
    app.must(202, 'POST', path, body, key === undefined ? {} : { key });

  it('brings 200 dead deliveries back: each delivered once, with the same webhook-id and a new timestamp', async () => {
    const { key, endpointId, events } = await dead(200);
    const first = (await app.must(200, 'GET', `/api/v1/events/${events[0] ?? ''}`)).deliveries[0];
    const answer = await app.call('POST', REDRIVE, { filter: { endpointId }, ratePerSecond: 10_000 }, { key });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/api/v1/jobs/${answer.body.id}`);
    expect(answer.body).toMatchObject({ kind: 'redrive', state: 'running', endpointId, filter: { endpointId }, total: 200, error: null });
    const job = await ended(app, answer.body.id);
    expect(job).toMatchObject({ state: 'done', total: 200, totalIsLowerBound: false, examined: 200, changed: 200, ratePerSecond: 10_000 });
    await reached(app, endpointId, { delivered: 200 });
    expect(receiver.received.map((request) => request.id).sort()).toEqual([...events].sort());
    expect(receiver.received.every((request) => request.verified)).toBe(true);
    const again = await app.must(200, 'GET', `/api/v1/deliveries/${first.id}`);
    expect(again).toMatchObject({ status: 'delivered', attemptCount: 2, reason: null, deadClass: null });
    const stamp = Number(receiver.received.find((request) => request.id === events[0])?.headers['webhook-timestamp']);
    expect(stamp).toBe(Math.floor(Date.parse(again.attempts[1].at) / 1_000));
    await exactLedger(app);
  });

  it('shows whose deliveries an admin changes who names an endpoint alone', async () => {
    const { account: owner, key, endpointId } = await dead(1);
    const { id } = await begin(REDRIVE, { filter: { endpointId } });
    expect(await ended(app, id)).toMatchObject({ accountId: owner, endpointId, filter: { endpointId }, changed: 1 });
    expect((await app.must(200, 'GET', '/api/v1/jobs', undefined, { key })).data).toMatchObject([{ id }]);
  });

  it('says beforehand exactly what it would change, for every kind of filter', async () => {
    const { key, endpointId } = await dead(30);
    const other = await subscribe(app, receiver.url, { retrySchedule: [] }, { key });
    receiver.answer = (request) => ({ status: request.headers['x-other'] === '1' ? 503 : 500 });
    await app.must(200, 'PATCH', `/api/v1/endpoints/${other.id}`, { headers: { 'X-Other': '1' } });
    await publishMany(app, 10, { application: 'till', eventType: 'opened' }, { key });
    await reached(app, other.id, { dead: 10 });
    await reached(app, endpointId, { dead: 40 });
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const filters: [object, number][] = [
      [{}, 50],
      [{ deadClass: 'pipeline' }, 0],
      [{ deadClass: 'receiver' }, 50],
      [{ endpointId: other.id }, 10],
      [{ reason: '503' }, 10],
      [{ application: 'till' }, 20],
      [{ eventType: 'paid' }, 30],
      [{ eventType: 'paid', application: 'till' }, 0],
      [{ since }, 50],
      [{ until: since }, 0],
    ];
    for (const [filter, count] of filters) {
      const preview = await app.must(200, 'POST', REDRIVE, { filter, dryRun: true }, { key });
      expect([filter, preview]).toEqual([filter, { count, isLowerBound: false }]);
      const job = await ended(app, (await begin(REDRIVE, { filter, ratePerSecond: 10_000 }, key)).id);
      expect([filter, job]).toMatchObject([filter, { state: 'done', total: count, examined: count, changed: count }]);
      // They die again, for the next filter.
      await reached(app, endpointId, { dead: 40 });
      await reached(app, other.id, { dead: 10 });
    }
    await exactLedger(app);
  });

  it('lists the dead by class, reason, endpoint and time, and none that is not dead', async () => {
    const { key, endpointId } = await dead(5);
    await publishMany(app, 3, { application: 'shop' }, { key });
    await reached(app, endpointId, { dead: 5, delivered: 3 });
    const list = async (query: string): Promise<number> =>
      (await app.must(200, 'GET', `/api/v1/deliveries?${query}`, undefined, { key })).data.length;
    const soon = new Date(Date.now() + 60_000).toISOString();
    expect(await list('status=dead')).toBe(5);
    expect(await list('status=dead&deadClass=receiver')).toBe(5);
    expect(await list('deadClass=receiver&reason=500')).toBe(5);
    expect(await list(`deadClass=receiver&endpointId=${endpointId}&until=${soon}&limit=3`)).toBe(3);
    expect(await list('status=dead&deadClass=pipeline')).toBe(0);
    expect(await list('status=dead&reason=503')).toBe(0);
    expect(await list(`status=dead&since=${soon}`)).toBe(0);
    expect(await list('status=delivered&limit=2')).toBe(2);
    const wrong = await app.call('GET', '/api/v1/deliveries?status=delivered&deadClass=receiver', undefined, { key });
    expect([wrong.status, paths(wrong)]).toEqual([400, ['status']]);
    // By pages, each once.
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = await app.must(200, 'GET', `/api/v1/deliveries?status=dead&limit=2${cursor}`, undefined, { key });
      seen.push(...page.data.map((row: { id: string }) => row.id));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${String(page.nextCursor)}`;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
    expect(seen).toEqual([...seen].sort().reverse());
  });

  it('cancels what is open and nothing else', async () => {
    receiver.answer = () => ({ status: 500 });
    const { key } = await account(app);
    const { id: endpointId } = await subscribe(app, receiver.url, { retrySchedule: [3_600] }, { key });
    const { id: second } = await subscribe(app, receiver.url, { retrySchedule: [3_600] }, { key });
    await publishMany(app, 40, { application: 'shop' }, { key });
    await reached(app, endpointId, { waiting: 40 });
    await reached(app, second, { waiting: 40 });
    await app.must(200, 'POST', `/api/v1/endpoints/${endpointId}/disable`);
    await publishMany(app, 5, { application: 'till' }, { key });
    await reached(app, second, { waiting: 45 });
    expect(await app.must(200, 'POST', CANCEL, { filter: { application: 'till' }, dryRun: true }, { key })).toMatchObject({ count: 5 });
    expect(await app.must(200, 'POST', CANCEL, { filter: { status: 'pending' }, dryRun: true }, { key })).toMatchObject({ count: 0 });
    const job = await ended(app, (await begin(CANCEL, { filter: { endpointId } }, key)).id);
    expect(job).toMatchObject({ kind: 'cancel', state: 'done', total: 40, changed: 40, ratePerSecond: 5_000 });
    await reached(app, endpointId, { cancelled: 40 });
    await reached(app, second, { waiting: 45 });
    const { data } = await app.must(200, 'GET', `/api/v1/deliveries?endpointId=${endpointId}&limit=1`);
    expect(data[0]).toMatchObject({ status: 'cancelled', reason: 'manual', nextAttemptAt: null });
    await exactLedger(app);
    expect(await ended(app, (await begin(CANCEL, { filter: {} }, key)).id)).toMatchObject({ changed: 45 });
    await reached(app, second, { cancelled: 45 });
    await exactLedger(app);
  });

  it('stops when it is asked to, and keeps to its rate', async () => {
    const { key, endpointId } = await dead(400);
    const beganAt = Date.now();
    const { id } = await begin(REDRIVE, { filter: {}, ratePerSecond: 50 }, key);
    await reached(app, endpointId, expect.objectContaining({ delivered: expect.any(Number) }));
    expect(await app.must(200, 'POST', `/api/v1/jobs/${id}/stop`, undefined, { key })).toMatchObject({ id, kind: 'redrive' });
    const job = await ended(app, id);
    expect(job).toMatchObject({ state: 'stopped', total: 400, error: null });
    expect(job.changed).toBeGreaterThan(0);
    // A slice has a tenth of a second's.
    expect(job.changed).toBeLessThanOrEqual(((Date.now() - beganAt) * 50) / 1_000 + 5);
    expect(job.changed).toBeLessThan(400);
    await reached(app, endpointId, { dead: 400 - job.changed, delivered: job.changed });
    expect(await app.must(200, 'POST', `/api/v1/jobs/${id}/stop`)).toEqual(job);
    await exactLedger(app);
    const rest = await ended(app, (await begin(REDRIVE, { filter: {} }, key)).id);
    expect(rest).toMatchObject({ state: 'done', changed: 400 - job.changed });
    await reached(app, endpointId, { delivered: 400 });
    expect(new Set(receiver.received.map((request) => request.id)).size).toBe(receiver.received.length);
  });

  it('gives a redriven and a retried delivery its whole schedule again', async () => {
    const { key, endpointId, events } = await dead(2, { retrySchedule: [0.1, 0.1] });
    receiver.answer = () => ({ status: 500 });
    await ended(app, (await begin(REDRIVE, { filter: { endpointId } }, key)).id);
    await reached(app, endpointId, { dead: 2 });
    const { id } = (await app.must(200, 'GET', `/api/v1/events/${events[0] ?? ''}`)).deliveries[0];
    expect(await app.must(200, 'GET', `/api/v1/deliveries/${id}`)).toMatchObject({ attemptCount: 6 });
    await app.must(202, 'POST', `/api/v1/deliveries/${id}/retry`);
    await reached(app, endpointId, { dead: 2 });
    const delivery = await app.must(200, 'GET', `/api/v1/deliveries/${id}`);
    expect(delivery.attempts).toHaveLength(9);
    expect(delivery).toMatchObject({ status: 'dead', attemptCount: 9 });
  });

  it('keeps accounts apart', async () => {
    const [mine, theirs] = [await dead(3), await dead(4)];
    expect(await app.must(200, 'POST', REDRIVE, { filter: {}, dryRun: true }, { key: mine.key })).toMatchObject({ count: 3 });
    for (const path of [REDRIVE, CANCEL]) {
      for (const filter of [{ endpointId: theirs.endpointId }, { accountId: theirs.account }, { endpointId: NO_ID }]) {
        const answer = await app.call('POST', path, { filter }, { key: mine.key });
        expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found']);
      }
    }
    const { id } = await begin(REDRIVE, { filter: { accountId: theirs.account } });
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/stop'],
    ] as const) {
      expect((await app.call(method, `/api/v1/jobs/${id}${path}`, undefined, { key: mine.key })).status).toBe(404);
      expect((await app.call(method, `/api/v1/jobs/${NO_ID}${path}`)).status).toBe(404);
      expect((await app.call(method, `/api/v1/jobs/x${path}`)).status).toBe(404);
    }
    expect((await app.must(200, 'GET', '/api/v1/jobs', undefined, { key: mine.key })).data).toEqual([]);
    expect((await app.must(200, 'GET', '/api/v1/jobs', undefined, { key: theirs.key })).data).toMatchObject([{ id }]);
    expect((await app.must(200, 'GET', `/api/v1/jobs?accountId=${theirs.account}`)).data).toMatchObject([{ id }]);
    await ended(app, id);
    await reached(app, theirs.endpointId, { delivered: 4 });
    await reached(app, mine.endpointId, { dead: 3 });
  });

  it('leaves alone what leads nowhere', async () => {
    const [gone, deleted] = [await dead(2), await dead(3)];
    receiver.answer = () => ({ status: 410 });
    await publishMany(app, 1, { application: 'shop' }, { key: gone.key });
    await reached(app, gone.endpointId, { dead: 2, cancelled: 1 });
    await app.must(204, 'DELETE', `/api/v1/endpoints/${deleted.endpointId}`);
    for (const { key } of [gone, deleted]) {
      expect(await app.must(200, 'POST', REDRIVE, { filter: {}, dryRun: true }, { key })).toMatchObject({ count: 0 });
      expect(await ended(app, (await begin(REDRIVE, { filter: {} }, key)).id)).toMatchObject({ state: 'done', changed: 0 });
    }
    await reached(app, gone.endpointId, { dead: 2, cancelled: 1 });
    await reached(app, deleted.endpointId, { dead: 3 });
  });

  it.each([
    { path: REDRIVE, body: {}, problems: ['filter', 'filter'] },
    { path: REDRIVE, body: { filter: { deadClass: 'mine' } }, problems: ['filter.deadClass'] },
    { path: REDRIVE, body: { filter: { status: 'dead' } }, problems: ['filter.status'] },
    { path: REDRIVE, body: { filter: { since: 'yesterday' } }, problems: ['filter.since'] },
    { path: REDRIVE, body: { filter: {}, ratePerSecond: 0 }, problems: ['ratePerSecond'] },
    { path: CANCEL, body: { filter: { status: 'dead' } }, problems: ['filter.status'] },
    { path: CANCEL, body: { filter: {}, dryRun: 'yes' }, problems: ['dryRun'] },
  ])('refuses $path with $body', async ({ path, body, problems }) => {
    const answer = await app.call('POST', path, body);
    expect([answer.status, [...new Set(paths(answer))]]).toEqual([422, [...new Set(problems)]]);
  });
});
