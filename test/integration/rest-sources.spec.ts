import { ENGINES, RestApp, paths } from './rest-app';

const GITHUB = { name: 'our repository', application: 'repository', verification: { type: 'github' } };

describe.each(ENGINES)('/api/v1/sources on %s', (engine) => {
  let app: RestApp;

  beforeAll(async () => {
    app = await RestApp.start(engine, { PUBLIC_URL: 'https://hooks.example.com/' });
  });
  afterAll(() => app.close());

  const create = (source: object = {}, options = {}) => app.must(201, 'POST', '/api/v1/sources', { ...GITHUB, ...source }, options);
  const tokenOf = ({ url }: { url: string }): string => url.split('/in/')[1] ?? '';
  const checks = async (url: string): Promise<number> => (await fetch(app.url + new URL(url).pathname, { method: 'HEAD' })).status;

  it('makes a source with a URL and a secret that is shown once', async () => {
    const made = await create();
    expect(made).toEqual({
      id: expect.any(String),
      accountId: 'default',
      name: 'our repository',
      application: 'repository',
      url: expect.stringMatching(/^https:\/\/hooks\.example\.com\/in\/[\w-]{43}$/),
      urlNote: null,
      enabled: true,
      verification: { type: 'github' },
      hasSecret: true,
      previousSecretUntil: null,
      previousUrlUntil: null,
      eventTypeFrom: null,
      response: null,
      fault: null,
      secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const { secret, ...shown } = made;
    expect(await app.must(200, 'GET', `/api/v1/sources/${made.id}`)).toEqual(shown);
    const { data } = await app.must(200, 'GET', '/api/v1/sources?limit=200');
    expect(data).toContainEqual(shown);
    const patched = await app.must(200, 'PATCH', `/api/v1/sources/${made.id}`, { name: 'x', verification: { type: 'github' } });
    expect(patched).toMatchObject({ name: 'x', url: made.url });
    expect(patched).not.toHaveProperty('secret');
    const row = await app.storage.db.selectFrom('sources').selectAll().where('id', '=', made.id).executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(secret);
    expect(JSON.stringify(row)).not.toContain(tokenOf(made));
  });

  it.each<[string, object, string]>([
    ['no name', { name: undefined }, 'name'],
    ['a name with a line break', { name: 'a\nb' }, 'name'],
    ['the gateway’s own application', { application: 'hookline' }, 'application'],
    ['an unknown type', { verification: { type: 'carrier-pigeon' } }, 'verification.type'],
    ['an unknown field of its type', { verification: { type: 'github', salt: 'x' } }, 'verification.salt'],
    ['an unknown field', { urls: [] }, 'urls'],
    ['an event type from nowhere', { eventTypeFrom: 'query:type' }, 'eventTypeFrom'],
    ['an event type from no header', { eventTypeFrom: 'header:a b' }, 'eventTypeFrom'],
    ['an event type from no path', { eventTypeFrom: 'body:a..b' }, 'eventTypeFrom'],
    ['an answer that is a refusal', { response: { status: 404 } }, 'response.status'],
    ['an answer of 204 with a body', { response: { status: 204, body: 'x' } }, 'response.body'],
    ['an answer with a line break in its type', { response: { contentType: 'text/html\r\nx: y' } }, 'response.contentType'],
    ['an answer of 5 KiB', { response: { body: 'x'.repeat(5_120) } }, 'response.body'],
  ])('refuses %s', async (_what, source, path) => {
    const answer = await app.call('POST', '/api/v1/sources', { ...GITHUB, ...source });
    expect([answer.status, paths(answer)]).toEqual([422, [path]]);
  });

  it('belongs to an account, and is not there for others', async () => {
    const [mine, others] = [await app.newAccount(`mine-${engine}`), await app.newAccount(`others-${engine}`)];
    const { id } = await create({}, { key: mine });
    for (const [method, path, body] of [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['POST', '/rotate-secret', {}],
      ['POST', '/rotate-url', {}],
    ] as const) {
      expect((await app.call(method, `/api/v1/sources/${id}${path}`, body, { key: others })).status).toBe(404);
    }
    expect((await app.must(200, 'GET', '/api/v1/sources', undefined, { key: others })).data).toEqual([]);
    const { data, nextCursor } = await app.must(200, 'GET', `/api/v1/sources?accountId=mine-${engine}`);
    expect([data.map((source: { id: string }) => source.id), nextCursor]).toEqual([[id], null]);
    expect((await app.call('POST', '/api/v1/sources', { ...GITHUB, accountId: `mine-${engine}` }, { key: others })).status).toBe(404);
    expect((await app.call('GET', '/api/v1/sources/no-id')).status).toBe(404);
  });

  it('goes with its account', async () => {
    await app.newAccount(`gone-${engine}`);
    const { id, url } = await create({ accountId: `gone-${engine}` });
    expect(await checks(url)).toBe(200);
    await app.must(204, 'DELETE', `/api/v1/accounts/gone-${engine}`);
    expect((await app.call('GET', `/api/v1/sources/${id}`)).status).toBe(404);
    expect(await checks(url)).toBe(404);
  });

  it('is there or not as it is enabled or deleted', async () => {
    const { id, url } = await create();
    expect(await checks(url)).toBe(200);
    await app.must(200, 'PATCH', `/api/v1/sources/${id}`, { enabled: false });
    expect(await checks(url)).toBe(404);
    await app.must(200, 'PATCH', `/api/v1/sources/${id}`, { enabled: null });
    expect(await checks(url)).toBe(200);
    await app.must(204, 'DELETE', `/api/v1/sources/${id}`);
    expect(await checks(url)).toBe(404);
    expect((await app.call('DELETE', `/api/v1/sources/${id}`)).status).toBe(404);
  });

  it('changes its URL, with the old one for a while', async () => {
    const { id, url } = await create();
    const next = await app.must(200, 'POST', `/api/v1/sources/${id}/rotate-url`);
    expect(next.url).not.toBe(url);
    expect(Date.parse(next.previousUrlUntil)).toBeGreaterThan(Date.now() + 86_000_000);
    expect([await checks(url), await checks(next.url)]).toEqual([200, 200]);
    const last = await app.must(200, 'POST', `/api/v1/sources/${id}/rotate-url`, { previousUrlUntil: '2020-01-01T00:00:00Z' });
    expect(last.previousUrlUntil).toBeNull();
    expect([await checks(url), await checks(next.url), await checks(last.url)]).toEqual([404, 404, 200]);
    const late = new Date(Date.now() + 31 * 86_400_000).toISOString();
    const answer = await app.call('POST', `/api/v1/sources/${id}/rotate-url`, { previousUrlUntil: late });
    expect([answer.status, paths(answer)]).toEqual([422, ['previousUrlUntil']]);
  });

  it('has at most 1,000 in an account', async () => {
    await app.newAccount(`full-${engine}`);
    const { id } = await create({ accountId: `full-${engine}` });
    const row = await app.storage.db.selectFrom('sources').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const copies = Array.from({ length: 999 }, (_, number) => ({
      ...row,
      id: `${id.slice(0, 24)}${String(number).padStart(12, '0')}`,
      token_hash: `${id} ${number}`,
    }));
    await app.storage.insertMany(app.storage.db, 'sources', copies);
    const answer = await app.call('POST', '/api/v1/sources', { ...GITHUB, accountId: `full-${engine}` });
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  });
});
