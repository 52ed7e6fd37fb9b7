import { Logger } from '@nestjs/common';
import { newId } from '../../src/core/ids';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import type { Receiver } from '../support/receiver';
import type { EndpointRow } from '../support/registry-rows';
import { DeliveryRig } from './delivery-rig';
import { ENGINES as REST_ENGINES, RestApp, paths } from './rest-app';

const DAY_MS = 86_400_000;
const THIRD_FAILURE = '{"kind":"failures","count":3}';

describe.each(ENGINES)('disabling by policy on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await rig.close();
  });

  /** An endpoint named by its event type, whose receiver answers 500. */
  const failing = async (type: string, changes: Partial<EndpointRow>): Promise<{ receiver: Receiver; endpoint: EndpointRow }> => {
    const receiver = await rig.receiver();
    receiver.answer = () => ({ status: 500 });
    const endpoint = await rig.endpoint(type, { url: receiver.url, retry_schedule: '[3600,3600]', ...changes });
    return { receiver, endpoint };
  };

  const isDisabled = (id: string) => eventually('it is disabled', async () => (await rig.readEndpoint(id)).enabled === 0);
  const counted = (id: string, count: number) =>
    eventually(`${count} failures are counted`, async () => (await rig.readEndpoint(id)).failure_count === count);

  it('disables at the third failure in all, whatever succeeds between, and in whichever process', async () => {
    const { receiver, endpoint } = await failing('third', { disable_policy: THIRD_FAILURE });
    await rig.send('third');
    await counted(endpoint.id, 1);
    receiver.answer = () => ({ status: 204 });
    await rig.send('third', 5);
    await rig.reached(endpoint.id, { waiting: 1, delivered: 5 });
    receiver.answer = () => ({ status: 500 });
    await rig.send('third');
    await counted(endpoint.id, 2);
    expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ enabled: 1 });

    await rig.shutDown();
    await rig.boot();
    await rig.send('third');
    await isDisabled(endpoint.id);
    expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ disabled_reason: 'failing', failure_count: 3 });
    // They are frozen, not lost.
    await rig.reached(endpoint.id, { waiting: 3, delivered: 5 });
    receiver.answer = () => ({ status: 204 });
    await rig.makeDue(endpoint.id);
    await rig.changeEndpoint(endpoint.id, { enabled: 1, disabled_reason: null, failing_since: null, failure_count: 0 });
    await rig.reached(endpoint.id, { delivered: 8 });
  });

  it('counts every failure of a group', async () => {
    const { receiver, endpoint } = await failing('group', { disable_policy: '{"kind":"failures","count":1000}' });
    receiver.answer = () => ({ status: 500, delayMs: 100 });
    await rig.send('group', 250);
    await rig.reached(endpoint.id, { waiting: 250 });
    await counted(endpoint.id, 250);
    expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ enabled: 1 });
  });

  it('disables after as many days of nothing but failures as the policy says', async () => {
    const dueAt = Date.now() - 2 * DAY_MS;
    const due = await failing('due', { disable_policy: '{"kind":"failing_for","days":2}', failing_since: dueAt });
    const early = await failing('early', { disable_policy: '{"kind":"failing_for","days":2}', failing_since: dueAt + DAY_MS / 2 });
    const standard = await failing('standard', { failing_since: Date.now() - 5 * DAY_MS });
    for (const type of ['early', 'due', 'standard']) await rig.send(type);
    await isDisabled(due.endpoint.id);
    await isDisabled(standard.endpoint.id);
    await rig.reached(early.endpoint.id, { waiting: 1 });
    expect(await rig.readEndpoint(early.endpoint.id)).toMatchObject({ enabled: 1, failing_since: dueAt + DAY_MS / 2 });
  });

  it('never disables where the policy says never', async () => {
    const never = await failing('never', { disable_policy: '{"kind":"never"}', failing_since: Date.now() - 100 * DAY_MS });
    const other = await failing('other', { failing_since: Date.now() - 100 * DAY_MS });
    await rig.send('never', 3);
    await rig.reached(never.endpoint.id, { waiting: 3 });
    // Its results were looked at before this one's.
    await rig.send('other');
    await isDisabled(other.endpoint.id);
    expect(await rig.readEndpoint(never.endpoint.id)).toMatchObject({ enabled: 1, disabled_reason: null });
  });

  it('does not hold our own refusal of an address against the endpoint', async () => {
    const { endpoint } = await failing('refused', { url: 'http://10.1.2.3/', disable_policy: '{"kind":"failures","count":1}' });
    const { endpoint: other } = await failing('other', { disable_policy: '{"kind":"failures","count":1}' });
    await rig.send('refused', 3);
    await rig.reached(endpoint.id, { waiting: 3 });
    await rig.send('other');
    await isDisabled(other.id);
    const [delivery] = await rig.deliveriesTo(endpoint.id);
    expect(await rig.attemptsOf(delivery?.id ?? '')).toMatchObject([{ code: 'address_refused' }]);
    expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ enabled: 1, failure_count: 0, failing_since: null });
  });

  it('disables nobody while nothing at all succeeds, and the right ones after that', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const since = Date.now() - 6 * DAY_MS;
    const types = Array.from({ length: 10 }, () => newId());
    const all = await Promise.all(types.map((type) => failing(type, { failing_since: since })));
    for (const [index, { endpoint, receiver }] of all.entries()) {
      // Two hosts.
      if (index % 2 === 1) await rig.changeEndpoint(endpoint.id, { url: receiver.url.replace('127.0.0.1', 'localhost') });
    }
    for (const type of types) await rig.send(type);
    for (const { endpoint } of all) await rig.reached(endpoint.id, { waiting: 1 });
    await eventually('all were held back', () => {
      const held = warned.mock.calls.map(([line]) => String(line)).filter((line) => line.startsWith('Not disabled'));
      return held.reduce((sum, line) => sum + 1 + Number(/ and (\d+) more$/.exec(line)?.[1] ?? 0), 0) >= 10;
    });
    for (const { endpoint } of all) expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ enabled: 1, failing_since: since });

    // It was our network: nine are well again, one is not.
    const [ill, ...well] = all as [(typeof all)[0], ...typeof all];
    for (const { receiver } of well) receiver.answer = () => ({ status: 204 });
    for (const { endpoint } of well) await rig.makeDue(endpoint.id);
    for (const { endpoint } of well) await rig.reached(endpoint.id, { delivered: 1 });
    await rig.makeDue(ill.endpoint.id);
    await isDisabled(ill.endpoint.id);
    for (const { endpoint } of well) expect(await rig.readEndpoint(endpoint.id)).toMatchObject({ enabled: 1, failing_since: null });
  });
});

describe.each(REST_ENGINES)('disablePolicy over REST on %s', (engine) => {
  let app: RestApp;

  beforeAll(async () => {
    app = await RestApp.start(engine);
  });
  afterAll(() => app?.close());

  const create = (body: object) => app.must(201, 'POST', '/api/v1/endpoints', { url: 'http://127.0.0.1:9/', ...body });
  const row = (id: string) => app.storage.db.selectFrom('endpoints').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  it.each([
    { given: { kind: 'failing_for', days: 2, count: 7 }, kept: { kind: 'failing_for', days: 2 } },
    { given: { kind: 'failures', count: 3 }, kept: { kind: 'failures', count: 3 } },
    { given: { kind: 'never' }, kept: { kind: 'never' } },
    { given: null, kept: null },
  ])('keeps $given as $kept', async ({ given, kept }) => {
    const made = await create({ disablePolicy: given });
    expect(made).toMatchObject({ disablePolicy: kept, failingSince: null, failureCount: 0 });
    expect(await app.must(200, 'GET', `/api/v1/endpoints/${made.id}`)).toMatchObject({ disablePolicy: kept });
    expect(await app.must(200, 'PATCH', `/api/v1/endpoints/${made.id}`, { name: 'x' })).toMatchObject({ disablePolicy: kept });
    expect(await app.must(200, 'PATCH', `/api/v1/endpoints/${made.id}`, { disablePolicy: null })).toMatchObject({ disablePolicy: null });
  });

  it.each([
    { given: 'never', path: 'disablePolicy' },
    { given: {}, path: 'disablePolicy.kind' },
    { given: { kind: 'sometimes' }, path: 'disablePolicy.kind' },
    { given: { kind: 'failing_for' }, path: 'disablePolicy.days' },
    { given: { kind: 'failing_for', days: 0 }, path: 'disablePolicy.days' },
    { given: { kind: 'failing_for', days: 1.5 }, path: 'disablePolicy.days' },
    { given: { kind: 'failing_for', days: 366 }, path: 'disablePolicy.days' },
    { given: { kind: 'failures', days: 1 }, path: 'disablePolicy.count' },
    { given: { kind: 'failures', count: -1 }, path: 'disablePolicy.count' },
    { given: { kind: 'never', else: 1 }, path: 'disablePolicy.else' },
  ])('refuses $given', async ({ given, path }) => {
    const answer = await app.call('POST', '/api/v1/endpoints', { url: 'http://127.0.0.1:9/', disablePolicy: given });
    expect(answer.status).toBe(422);
    expect(new Set(paths(answer))).toEqual(new Set([path]));
  });

  it('forgets failures when it is enabled, and counts when another policy begins', async () => {
    const { id } = await create({ disablePolicy: { kind: 'failures', count: 3 } });
    const failed = { failing_since: 5, failure_count: 3 };
    await app.storage.db
      .updateTable('endpoints')
      .set({ ...failed, enabled: 0, disabled_reason: 'failing' })
      .where('id', '=', id)
      .execute();
    expect(await app.must(200, 'GET', `/api/v1/endpoints/${id}`)).toMatchObject({
      enabled: false,
      disabledReason: 'failing',
      failingSince: '1970-01-01T00:00:00.005Z',
      failureCount: 3,
    });
    await app.must(200, 'POST', `/api/v1/endpoints/${id}/enable`);
    expect(await row(id)).toMatchObject({ enabled: 1, disabled_reason: null, failing_since: null, failure_count: 0 });

    await app.storage.db.updateTable('endpoints').set(failed).where('id', '=', id).execute();
    // Of one that is enabled already, nothing is forgotten.
    expect(await app.must(200, 'POST', `/api/v1/endpoints/${id}/enable`)).toMatchObject({ failureCount: 3 });
    expect(await app.must(200, 'PATCH', `/api/v1/endpoints/${id}`, { disablePolicy: { kind: 'failures', count: 9 } })).toMatchObject({
      failureCount: 3,
    });
    expect(await app.must(200, 'PATCH', `/api/v1/endpoints/${id}`, { disablePolicy: { kind: 'never' } })).toMatchObject({
      failureCount: 0,
    });
  });

  it('tells who subscribes what a person did, once', async () => {
    const { id: watching } = await create({ name: 'watching' });
    await app.must(201, 'POST', '/api/v1/filters', { applications: ['hookline'], endpointIds: [watching] });
    const { id } = await create({ name: 'switched' });
    for (const action of ['enable', 'disable', 'disable', 'enable', 'enable'])
      await app.must(200, 'POST', `/api/v1/endpoints/${id}/${action}`);
    await app.must(200, 'PATCH', `/api/v1/endpoints/${id}`, { enabled: false });
    const { data } = await app.must(200, 'GET', '/api/v1/events?application=hookline');
    const told = await Promise.all((data as { id: string }[]).map((event) => app.must(200, 'GET', `/api/v1/events/${event.id}`)));
    const about = { endpointId: id, name: 'switched', url: 'http://127.0.0.1:9/', failingSince: null };
    expect(told.map(({ eventType, data: what }) => ({ eventType, data: what }))).toEqual([
      { eventType: 'endpoint.disabled', data: { ...about, reason: 'manual' } },
      { eventType: 'endpoint.recovered', data: { ...about, reason: 'enabled' } },
      { eventType: 'endpoint.disabled', data: { ...about, reason: 'manual' } },
    ]);
  });
});
