import { ENGINES, RestApp, paths } from './rest-app';

const NO_ID = '019346a0-0000-7000-8000-000000000001';

describe.each(ENGINES)('registry over REST on %s', (engine) => {
  let app: RestApp;
  let keyA: string;
  let keyB: string;

  beforeAll(async () => {
    app = await RestApp.start(engine);
    keyA = await app.newAccount('a');
    keyB = await app.newAccount('b');
  });

  afterAll(() => app?.close());

  const newEndpoint = (key: string, more: object = {}) =>
    app.must(201, 'POST', '/api/v1/endpoints', { url: 'http://127.0.0.1:9/x', ...more }, { key });

  it.each([
    'accounts',
    'accounts/default/identities',
    'deliveries',
    'endpoints',
    'events',
    'filters',
    'jobs',
    'keys',
    'sources',
    'threads',
  ])('refuses a query that lists of %s do not know', async (list) => {
    const answer = await app.call('GET', `/api/v1/${list}?limit=5&acountId=a`);
    expect(answer.body).toMatchObject({ status: 400, code: 'malformed_request' });
    expect(paths(answer)).toEqual(['acountId']);
  });

  describe('accounts', () => {
    it('makes, shows, renames and deletes them', async () => {
      const made = await app.must(201, 'POST', '/api/v1/accounts', { name: 'Shop' });
      expect(made).toEqual({ id: expect.any(String), name: 'Shop', createdAt: expect.any(String) });
      const path = `/api/v1/accounts/${made.id}`;
      expect(await app.must(200, 'PATCH', path, { name: 'Shop 2' })).toEqual({ ...made, name: 'Shop 2' });
      expect(await app.must(200, 'PATCH', path, {})).toMatchObject({ name: 'Shop 2' });
      expect(await app.must(200, 'PATCH', path, { name: null })).toMatchObject({ name: made.id });
      expect((await app.must(200, 'GET', '/api/v1/accounts')).data.map((account: { id: string }) => account.id)).toContain(made.id);
      await app.must(204, 'DELETE', path);
      await app.must(404, 'GET', path);
      await app.must(404, 'PATCH', path, { name: 'x' });
      await app.must(404, 'DELETE', path);
    });

    it('refuses an id that is taken, and the end of default', async () => {
      expect((await app.call('POST', '/api/v1/accounts', { id: 'a' })).body).toMatchObject({ status: 409, code: 'conflict' });
      await app.must(409, 'DELETE', '/api/v1/accounts/default');
    });

    it('may have ids of every length that is allowed', async () => {
      const id = 'x'.repeat(128);
      await app.must(201, 'POST', '/api/v1/accounts', { id });
      await app.must(200, 'GET', `/api/v1/accounts/${id}`);
      const identities = `/api/v1/accounts/${id}/identities`;
      const externalId = '\u{1f4e6}'.repeat(128);
      await app.must(201, 'POST', identities, { channel: 'facebook', externalId });
      await app.must(204, 'DELETE', `${identities}/facebook/${encodeURIComponent(externalId)}`);
      await app.must(204, 'DELETE', `/api/v1/accounts/${id}`);
    });

    it.each([
      ['GET', '%00'],
      ['PATCH', '%00'],
      ['DELETE', '%00'],
      ['GET', '%00/identities'],
      ['DELETE', 'a/identities/facebook/%00'],
      ['DELETE', 'a/identities/%00/1'],
    ])('knows nothing whose name holds a NUL: %s %j', async (method, path) => {
      await app.must(404, method, `/api/v1/accounts/${path}`, method === 'PATCH' ? { name: 'x' } : undefined);
    });

    it.each([
      [{ id: 'a b' }, 'id'],
      [{ id: 'a:b' }, 'id'],
      [{ id: '' }, 'id'],
      [{ id: 7 }, 'id'],
      [{ name: '' }, 'name'],
      [{ name: 'x'.repeat(201) }, 'name'],
      [{ nmae: 'x' }, 'nmae'],
    ])('refuses %j', async (body, path) => {
      const answer = await app.call('POST', '/api/v1/accounts', body);
      expect([answer.status, ...paths(answer)]).toEqual([422, path]);
    });

    it('shows a key its own account only and lets it make none', async () => {
      const own = await app.must(200, 'GET', '/api/v1/accounts', undefined, { key: keyA });
      expect(own.data.map((account: { id: string }) => account.id)).toEqual(['a']);
      await app.must(404, 'GET', '/api/v1/accounts/b', undefined, { key: keyA });
      await app.must(404, 'PATCH', '/api/v1/accounts/b', { name: 'x' }, { key: keyA });
      await app.must(403, 'POST', '/api/v1/accounts', { id: 'mine' }, { key: keyA });
      await app.must(403, 'DELETE', '/api/v1/accounts/b', undefined, { key: keyA });
    });

    it('deletes what belongs to one with it, and revokes its keys', async () => {
      const key = await app.newAccount('short-lived');
      const { id } = await newEndpoint(key);
      await app.must(201, 'POST', '/api/v1/filters', { endpointIds: [id] }, { key });
      await app.must(204, 'DELETE', '/api/v1/accounts/short-lived');
      await app.must(404, 'GET', `/api/v1/endpoints/${id}`);
      expect((await app.must(200, 'GET', '/api/v1/filters?accountId=short-lived')).data).toEqual([]);
      await app.must(401, 'GET', '/api/v1/endpoints', undefined, { key });
    });
  });

  describe('identities', () => {
    const path = '/api/v1/accounts/a/identities';

    it('belong to one account', async () => {
      const wanted = { channel: 'facebook', externalId: 'page:1' };
      const made = await app.must(201, 'POST', path, wanted);
      expect(made).toEqual({ ...wanted, accountId: 'a', hasCredentials: false, createdAt: expect.any(String) });
      expect(await app.must(201, 'POST', path, wanted)).toEqual(made);
      expect((await app.call('POST', '/api/v1/accounts/b/identities', wanted)).body).toMatchObject({ status: 409, code: 'conflict' });
      await app.must(404, 'DELETE', '/api/v1/accounts/b/identities/facebook/page:1');
      await app.must(204, 'DELETE', `${path}/facebook/page:1`);
      await app.must(201, 'POST', '/api/v1/accounts/b/identities', wanted);
    });

    it('keep the token to act for them to themselves', async () => {
      const credentials = { accessToken: '3001969357-token', accessTokenSecret: 'a-secret-of-the-token' };
      const wanted = { channel: 'twitter', externalId: '3001969357' };
      const post = async (body: object): Promise<boolean> => {
        const answer = await app.call('POST', path, { ...wanted, ...body });
        expect(answer.text).not.toContain('token');
        return answer.body.hasCredentials;
      };
      const sealed = async () =>
        (await app.storage.db.selectFrom('account_identities').select('credentials').execute()).map((row) => String(row.credentials));
      expect(await post({ credentials })).toBe(true);
      const [first] = (await sealed()).filter((text) => text !== 'null');
      expect(first).toMatch(/^enc:v1:/);
      expect((await app.call('GET', path)).text).not.toContain('secret-of');
      expect((await app.must(200, 'GET', path, undefined, { key: keyA })).data).toContainEqual(
        expect.objectContaining({ ...wanted, hasCredentials: true }),
      );

      // Left out they stay as they are, given anew they are replaced; another account's claim changes nothing.
      expect(await post({})).toBe(true);
      await app.must(409, 'POST', '/api/v1/accounts/b/identities', { ...wanted, credentials });
      expect(await sealed()).toContain(first);
      expect(await post({ credentials: { ...credentials, accessToken: 'another' } })).toBe(true);
      expect(await sealed()).not.toContain(first);
      expect(await post({ credentials: null })).toBe(false);
      expect((await sealed()).filter((text) => text !== 'null')).toEqual([]);
      await app.must(204, 'DELETE', `${path}/twitter/3001969357`);
    });

    it.each([
      { accessToken: 'a' },
      { accessToken: 'a', accessTokenSecret: '' },
      { accessToken: 'a b', accessTokenSecret: 'c' },
      'token',
      [],
    ])('refuse %j as a token', async (credentials) => {
      await app.must(422, 'POST', path, { channel: 'twitter', externalId: '7', credentials });
    });

    it('come by pages, to the key of their account too', async () => {
      for (const externalId of ['3', '1', '2:2']) await app.must(201, 'POST', path, { channel: 'instagram', externalId });
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page = await app.must(200, 'GET', `${path}?limit=1${query}`, undefined, { key: keyA });
        seen.push(...page.data.map((identity: { externalId: string }) => identity.externalId));
        cursor = page.nextCursor;
      }
      expect(seen).toEqual(['1', '2:2', '3']);
      await app.must(404, 'GET', path, undefined, { key: keyB });
    });

    it('are for admin keys to change, since nothing proves whose a page is', async () => {
      await app.must(403, 'POST', path, { channel: 'facebook', externalId: '9' }, { key: keyA });
      await app.must(403, 'DELETE', `${path}/facebook/9`, undefined, { key: keyA });
      await app.must(404, 'POST', path, { channel: 'facebook', externalId: '9' }, { key: keyB });
    });

    it('make an account appear that an admin names first here', async () => {
      await app.must(404, 'GET', '/api/v1/accounts/newcomer/identities');
      await app.must(201, 'POST', '/api/v1/accounts/newcomer/identities', { channel: 'facebook', externalId: '9' });
      expect(await app.must(200, 'GET', '/api/v1/accounts/newcomer')).toMatchObject({ id: 'newcomer', name: 'newcomer' });
    });

    it('need an account whose id can be one', async () => {
      await app.must(404, 'POST', '/api/v1/accounts/no%20body/identities', { channel: 'facebook', externalId: '10' });
    });

    it.each([{ channel: 'Face book', externalId: '1' }, { channel: 'facebook', externalId: 12345678901 }, { channel: 'facebook' }])(
      'refuses %j',
      async (body) => {
        await app.must(422, 'POST', path, body);
      },
    );
  });

  describe('filters', () => {
    it('makes, shows, changes and deletes them', async () => {
      const { id } = await newEndpoint(keyA);
      const made = await app.must(201, 'POST', '/api/v1/filters', { name: 'all' }, { key: keyA });
      expect(made).toEqual({
        id: expect.any(String),
        accountId: 'a',
        name: 'all',
        enabled: true,
        applications: [],
        eventTypes: [],
        levels: [],
        where: null,
        endpointIds: [],
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      });
      const path = `/api/v1/filters/${made.id}`;
      const patch = { applications: ['shop', 'shop'], levels: ['error'], endpointIds: [id], enabled: false };
      const patched = await app.must(200, 'PATCH', path, patch, { key: keyA });
      expect(patched).toMatchObject({ name: 'all', applications: ['shop'], levels: ['error'], endpointIds: [id], enabled: false });
      const cleared = await app.must(200, 'PATCH', path, { applications: null, enabled: null, name: null }, { key: keyA });
      expect(cleared).toMatchObject({ name: '', applications: [], levels: ['error'], enabled: true });
      expect(await app.must(200, 'GET', path)).toEqual(cleared);
      for (const [method, body] of [['GET'], ['PATCH', {}], ['DELETE']] as const) {
        await app.must(404, method, path, body, { key: keyB });
        await app.must(404, method, `/api/v1/filters/${NO_ID}`, body);
        await app.must(404, method, '/api/v1/filters/no-id', body);
      }
      await app.must(204, 'DELETE', path, undefined, { key: keyA });
      await app.must(404, 'GET', path);
    });

    it('refuses endpoints that are not there or of another account, each by its place', async () => {
      const mine = await newEndpoint(keyA);
      const others = await newEndpoint(keyB);
      const body = { endpointIds: [mine.id, others.id, NO_ID, 'no-id'] };
      const answer = await app.call('POST', '/api/v1/filters', body, { key: keyA });
      expect(answer.status).toBe(422);
      expect(paths(answer)).toEqual(['endpointIds[1]', 'endpointIds[2]', 'endpointIds[3]']);
      expect(answer.body.problems[0].message).toContain(others.id);
      const { id } = await app.must(201, 'POST', '/api/v1/filters', {}, { key: keyA });
      await app.must(422, 'PATCH', `/api/v1/filters/${id}`, body);
    });

    it.each([
      [{ where: { 'data.text': 'x' } }, 'where.data.text'],
      [{ where: 'level' }, 'where'],
      [{ where: [] }, 'where'],
      [{ where: { $or: [{ level: 'a' }, { 'message.host.os': { $in: [] } }] } }, 'where.$or[1].message.host.os.$in'],
      [{ where: { 'message.s': { $regex: '(a+)+(?=b)' } } }, 'where.message.s.$regex'],
      [{ applications: 'shop' }, 'applications'],
      [{ applications: [''] }, 'applications'],
      [{ eventTypes: [1] }, 'eventTypes'],
      [{ levels: ['a\u0000'] }, 'levels'],
      [{ endpointIds: [null] }, 'endpointIds'],
      [{ enabled: 'yes' }, 'enabled'],
      [{ aplications: [] }, 'aplications'],
    ])('refuses %j', async (body, path) => {
      const answer = await app.call('POST', '/api/v1/filters', body);
      expect(answer.status).toBe(422);
      expect(new Set(paths(answer))).toEqual(new Set([path]));
    });

    it('refuses more combinations of names than the matcher may index', async () => {
      const names = (count: number) => Array.from({ length: count }, (_, index) => String(index));
      await app.must(422, 'POST', '/api/v1/filters', { applications: names(101), eventTypes: names(100) });
      await app.must(422, 'POST', '/api/v1/filters', { applications: names(201) });
      const { id } = await app.must(201, 'POST', '/api/v1/filters', { applications: names(100), eventTypes: names(100) });
      await app.must(422, 'PATCH', `/api/v1/filters/${id}`, { levels: names(2) });
    });

    it('keeps conditions as they are given', async () => {
      const where = { 'message.host["a.b"]': { $in: ['rhel', 5, true, null] }, $or: [{ level: 'critical' }, { $not: { 'message.x': 1 } }] };
      const made = await app.must(201, 'POST', '/api/v1/filters', { where }, { key: keyA });
      const path = `/api/v1/filters/${made.id}`;
      expect(made.where).toEqual(where);
      expect((await app.must(200, 'GET', path)).where).toEqual(where);
      expect((await app.must(200, 'PATCH', path, { name: 'x' })).where).toEqual(where);
      expect((await app.must(200, 'PATCH', path, { where: { level: 'info' } })).where).toEqual({ level: 'info' });
      expect((await app.must(200, 'PATCH', path, { where: {} })).where).toBeNull();
      expect((await app.must(201, 'POST', '/api/v1/filters', { where: null })).where).toBeNull();
    });

    it('refuses conditions by their paths, all of them at once, and changes nothing then', async () => {
      const { id } = await app.must(201, 'POST', '/api/v1/filters', { where: { level: 'info' } }, { key: keyA });
      const where = { $or: [{ level: 5 }, { 'message.host.os': { $in: 'rhel' } }], 'message.n': { $gt: {} } };
      const answer = await app.call('PATCH', `/api/v1/filters/${id}`, { where }, { key: keyA });
      expect(answer.status).toBe(422);
      expect(paths(answer)).toEqual(['where.$or[0].level', 'where.$or[1].message.host.os.$in', 'where.message.n.$gt']);
      expect((await app.must(200, 'GET', `/api/v1/filters/${id}`)).where).toEqual({ level: 'info' });
    });
  });

  it.each(['endpoints', 'filters'])('lists %s page by page, of the own account or, for the admin, of the one asked for', async (kind) => {
    const key = await app.newAccount(`lists-${kind}`);
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) {
      const body = kind === 'endpoints' ? { url: 'http://127.0.0.1:9/' } : {};
      ids.push((await app.must(201, 'POST', `/api/v1/${kind}`, body, { key })).id as string);
    }
    const walk = async (query: string, by: string | undefined): Promise<string[]> => {
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = await app.must(200, 'GET', `/api/v1/${kind}?limit=2${query}${next}`, undefined, by === undefined ? {} : { key: by });
        expect(page.data.length).toBeLessThanOrEqual(2);
        seen.push(...page.data.map((entry: { id: string }) => entry.id));
        cursor = page.nextCursor;
      }
      return seen;
    };
    expect(await walk('', key)).toEqual(ids);
    expect(await walk(`&accountId=lists-${kind}`, undefined)).toEqual(ids);
    expect(await walk('', undefined)).toEqual(expect.arrayContaining(ids));
    await app.must(404, 'GET', `/api/v1/${kind}?accountId=lists-${kind}`, undefined, { key: keyA });
    for (const query of ['limit=0', 'limit=x', 'limit=201', 'cursor=x', 'accountId=a&accountId=b']) {
      expect((await app.call('GET', `/api/v1/${kind}?${query}`)).body).toMatchObject({ status: 400, code: 'malformed_request' });
    }
  });

  it.each(['endpoints', 'filters', 'events'])('lets nobody make %s in an account of another', async (kind) => {
    const body = {
      endpoints: { url: 'http://127.0.0.1:9/', accountId: 'b' },
      filters: { accountId: 'b' },
      events: { application: 'x', eventType: 'y', message: 1, accountId: 'b' },
    }[kind];
    expect((await app.call('POST', `/api/v1/${kind}`, body, { key: keyA })).body).toMatchObject({ status: 404, code: 'not_found' });
    await app.must(kind === 'events' ? 202 : 201, 'POST', `/api/v1/${kind}`, body, { key: keyB });
  });

  it.each([
    ['POST', '/api/v1/endpoints'],
    ['POST', '/api/v1/filters'],
    ['POST', '/api/v1/accounts'],
    ['POST', '/api/v1/events'],
    ['POST', '/api/v1/events/batch'],
  ])('%s %s wants JSON', async (method, path) => {
    expect((await app.call(method, path, '{', {})).body).toMatchObject({ status: 400, code: 'malformed_json' });
    expect((await app.call(method, path, '"text"', {})).body).toMatchObject({ status: 422, code: 'validation_failed' });
    const deep = '['.repeat(1_000_000);
    expect((await app.call(method, path, deep, {})).body).toMatchObject({ status: 400, code: 'json_too_deep' });
    const headers = { 'content-type': 'text/plain' };
    expect((await app.call(method, path, '{}', { headers })).body).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });
});
