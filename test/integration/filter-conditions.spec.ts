import { ENGINES, RestApp } from './rest-app';

describe.each(ENGINES)('filters with conditions on %s', (engine) => {
  let app: RestApp;
  let key: string;
  let endpointId: string;

  beforeAll(async () => {
    app = await RestApp.start(engine);
    key = await app.newAccount('conditions');
    endpointId = (await app.must(201, 'POST', '/api/v1/endpoints', { url: 'http://127.0.0.1:9/x' }, { key })).id;
  });

  afterAll(() => app?.close());

  /** The status that an event has as soon as it is published. */
  const statusOf = async (event: object): Promise<string> => {
    const { id } = await app.must(202, 'POST', '/api/v1/events', { application: 'inventory', eventType: 'host', ...event }, { key });
    const { status, filteredReason } = await app.must(200, 'GET', `/api/v1/events/${id}`, undefined, { key });
    return status === 'filtered' ? filteredReason : 'matched';
  };

  it('send what they match, and follow their changes', async () => {
    const where = { 'message.host.os': { $in: ['rhel', 'fedora'] }, $or: [{ level: 'critical' }, { 'message.host.cpus': { $gte: 64 } }] };
    const filter = { applications: ['inventory'], where, endpointIds: [endpointId] };
    const { id } = await app.must(201, 'POST', '/api/v1/filters', filter, { key });
    expect(await statusOf({ level: 'critical', message: { host: { os: 'rhel', cpus: 1 } } })).toBe('matched');
    expect(await statusOf({ message: { host: { os: 'fedora', cpus: 64 } } })).toBe('matched');
    expect(await statusOf({ message: { host: { os: 'fedora', cpus: 8 } } })).toBe('no_filter');
    expect(await statusOf({ level: 'critical', message: { host: { os: 'debian' } } })).toBe('no_filter');
    expect(await statusOf({ level: 'critical', message: 'rhel' })).toBe('no_filter');
    await app.must(200, 'PATCH', `/api/v1/filters/${id}`, { where: { 'message.host.os': 'debian' } }, { key });
    expect(await statusOf({ message: { host: { os: 'debian' } } })).toBe('matched');
    expect(await statusOf({ message: { host: { os: 'rhel', cpus: 64 } } })).toBe('no_filter');
    await app.must(200, 'PATCH', `/api/v1/filters/${id}`, { where: null }, { key });
    expect(await statusOf({ message: 'anything' })).toBe('matched');
    await app.must(204, 'DELETE', `/api/v1/filters/${id}`, undefined, { key });
  });

  it('hold for what is replayed', async () => {
    const target = (await app.must(201, 'POST', '/api/v1/endpoints', { url: 'http://127.0.0.1:9/replayed' }, { key })).id;
    for (const n of [1, 2, 3, 4]) {
      await app.must(202, 'POST', '/api/v1/events', { application: 'replayed', eventType: 'n', message: { n } }, { key });
    }
    const filter = { applications: ['replayed'], where: { 'message.n': { $gt: 1, $lt: 4 } }, endpointIds: [target] };
    await app.must(201, 'POST', '/api/v1/filters', filter, { key });
    const order = { since: '2026-01-01T00:00:00Z', dryRun: true };
    expect(await app.must(200, 'POST', `/api/v1/endpoints/${target}/replay`, order, { key })).toMatchObject({ count: 2 });
  });

  it('hold for what the gateway tells of itself', async () => {
    const watched = (await app.must(201, 'POST', '/api/v1/endpoints', { name: 'watched', url: 'http://127.0.0.1:9/w' }, { key })).id;
    const other = (await app.must(201, 'POST', '/api/v1/endpoints', { name: 'other', url: 'http://127.0.0.1:9/o' }, { key })).id;
    const filter = { applications: ['hookline'], where: { 'message.name': 'watched' }, endpointIds: [endpointId] };
    await app.must(201, 'POST', '/api/v1/filters', filter, { key });
    for (const id of [watched, other]) await app.must(200, 'POST', `/api/v1/endpoints/${id}/disable`, undefined, { key });
    const { data } = await app.must(200, 'GET', '/api/v1/events?application=hookline', undefined, { key });
    expect(data).toHaveLength(1);
    const told = await app.must(200, 'GET', `/api/v1/events/${data[0].id}`, undefined, { key });
    expect(told.data).toMatchObject({ name: 'watched' });
  });
});
