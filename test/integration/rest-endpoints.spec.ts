import { fromRow } from '../../src/dispatcher/registry/endpoint-record';
import { SecretBox } from '../../src/secrets/secret-box';
import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { ENGINES, RestApp, paths } from './rest-app';

const NO_ID = '019346a0-0000-7000-8000-000000000001';
const URL = 'http://127.0.0.1:9/x?y=1';

describe.each(ENGINES)('endpoints over REST on %s', (engine) => {
  let app: RestApp;
  let keyA: string;
  let keyB: string;

  beforeAll(async () => {
    app = await RestApp.start(engine);
    keyA = await app.newAccount('a');
    keyB = await app.newAccount('b');
  });

  afterAll(() => app?.close());

  const create = (body: object, key = keyA) => app.must(201, 'POST', '/api/v1/endpoints', { url: URL, ...body }, { key });

  it('makes one of nothing but a URL, and shows its secret once', async () => {
    const { secret, ...endpoint } = await create({});
    expect(endpoint).toEqual({
      id: expect.any(String),
      accountId: 'a',
      name: '127.0.0.1:9',
      type: 'webhook',
      url: URL,
      description: '',
      headers: {},
      auth: null,
      enabled: true,
      disabledReason: null,
      disablePolicy: null,
      failingSince: null,
      failureCount: 0,
      fault: null,
      timeoutMs: null,
      maxInFlight: null,
      ratePerSecond: null,
      retrySchedule: null,
      properties: {},
      previousSecretUntil: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const path = `/api/v1/endpoints/${endpoint.id}`;
    expect(await app.must(200, 'GET', path)).toEqual(endpoint);
    const answers = [
      await app.call('PATCH', path, { name: 'x' }),
      await app.call('POST', `${path}/disable`),
      await app.call('POST', `${path}/enable`),
      await app.call('GET', '/api/v1/endpoints'),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain('"secret"');
      expect(answer.text).not.toContain(secret);
    }
  });

  it('keeps every field, changes those that are given, and sets those that are null back', async () => {
    const fields = {
      name: 'mine',
      description: 'for tests',
      headers: { 'X-Team': 'a' },
      timeoutMs: 1_000,
      maxInFlight: 3,
      ratePerSecond: 7,
      retrySchedule: [1, 2.5],
      properties: { body: 'raw' },
      enabled: false,
    };
    const { secret, ...made } = await create({ ...fields, type: 'webhook' });
    expect(secret).toBeDefined();
    expect(made).toMatchObject({ ...fields, disabledReason: 'manual' });
    const path = `/api/v1/endpoints/${made.id}`;
    const patched = await app.must(200, 'PATCH', path, { url: 'http://127.0.0.1:9/z', headers: { 'X-Other': 'b' } }, { key: keyA });
    expect(patched).toEqual({ ...made, url: 'http://127.0.0.1:9/z', headers: { 'X-Other': 'b' }, updatedAt: expect.any(String) });
    const nothing = Object.fromEntries(Object.keys(fields).map((field) => [field, null]));
    expect(await app.must(200, 'PATCH', path, nothing)).toMatchObject({
      name: '127.0.0.1:9',
      description: '',
      headers: {},
      timeoutMs: null,
      maxInFlight: null,
      ratePerSecond: null,
      retrySchedule: null,
      properties: {},
      enabled: true,
      disabledReason: null,
    });
    expect(await app.must(200, 'PATCH', path, { retrySchedule: [] })).toMatchObject({ retrySchedule: [] });
  });

  it.each([
    [{ type: 'slack' }, 'type'],
    [{ url: '' }, 'url'],
    [{ url: null }, 'url'],
    [{ url: 'http://a b/' }, 'url'],
    [{ name: '' }, 'name'],
    [{ name: 'a\u0000' }, 'name'],
    [{ description: 'x'.repeat(2_001) }, 'description'],
    [{ timeoutMs: 999 }, 'timeoutMs'],
    [{ timeoutMs: 60_001 }, 'timeoutMs'],
    [{ timeoutMs: 1_000.5 }, 'timeoutMs'],
    [{ timeoutMs: '5000' }, 'timeoutMs'],
    [{ maxInFlight: 0 }, 'maxInFlight'],
    [{ ratePerSecond: -1 }, 'ratePerSecond'],
    [{ retrySchedule: [0] }, 'retrySchedule'],
    [{ retrySchedule: [604_801] }, 'retrySchedule'],
    [{ retrySchedule: Array(51).fill(1) }, 'retrySchedule'],
    [{ retrySchedule: 5 }, 'retrySchedule'],
    [{ properties: { body: 'xml' } }, 'properties.body'],
    [{ properties: { format: 'x' } }, 'properties.format'],
    [{ headers: { Host: 'x' } }, 'headers.Host'],
    [{ headers: { 'webhook-id': 'x' } }, 'headers.webhook-id'],
    [{ headers: { 'X-A': 'a\r\nX-B: b' } }, 'headers.X-A'],
    [{ headers: ['a'] }, 'headers'],
    [{ auth: { type: 'digest' } }, 'auth.type'],
    [{ auth: [] }, 'auth'],
    [{ auth: [{ type: 'bearer', token: 'x' }] }, 'auth'],
    [{ properties: [{ body: 'raw' }] }, 'properties'],
    [JSON.parse('{"headers":{"constructor":"x"}}') as object, 'headers.constructor'],
    [{ auth: { type: 'basic', username: 'a:b', password: '' } }, 'auth.username'],
    [{ auth: { type: 'bearer' } }, 'auth.token'],
    [{ auth: { type: 'bearer', token: 'x' }, headers: { Authorization: 'y' } }, 'headers.Authorization'],
    [{ secret: 'short' }, 'secret'],
    [{ secret: `whsec_${Buffer.alloc(65).toString('base64')}` }, 'secret'],
    [{ disabledReason: 'x' }, 'disabledReason'],
    [{ accountId: 'a b' }, 'accountId'],
  ])('refuses %j', async (body, path) => {
    const answer = await app.call('POST', '/api/v1/endpoints', { url: URL, ...body });
    expect(answer.body).toMatchObject({ status: 422, code: 'validation_failed' });
    expect(new Set(paths(answer))).toEqual(new Set([path]));
  });

  it('refuses one without a URL', async () => {
    const answer = await app.call('POST', '/api/v1/endpoints', { name: 'nowhere' });
    expect([answer.status, ...paths(answer)]).toEqual([422, 'url']);
  });

  it.each([
    'ftp://127.0.0.1/',
    'http://user:password@127.0.0.1/',
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a00:1]/',
    'http://0x0a000001/',
    'http://[fd00::1]/',
  ])('refuses the URL %s, at create and at update', async (url) => {
    const { id } = await create({});
    for (const [method, path] of [
      ['POST', '/api/v1/endpoints'],
      ['PATCH', `/api/v1/endpoints/${id}`],
    ] as const) {
      expect((await app.call(method, path, { url })).body).toMatchObject({
        status: 422,
        code: 'address_refused',
        problems: [{ path: 'url' }],
      });
    }
    expect(await app.must(200, 'GET', `/api/v1/endpoints/${id}`)).toMatchObject({ url: URL });
  });

  it('names a URL that cannot be read beside the other fields', async () => {
    const { body } = await app.call('POST', '/api/v1/endpoints', { url: 'not-a-url', timeoutMs: 1 });
    expect(body).toMatchObject({ status: 422, code: 'validation_failed' });
    expect(body.problems.map(({ path }: { path: string }) => path).sort()).toEqual(['timeoutMs', 'url']);
  });

  it('names the setting that opens an address', async () => {
    const { body } = await app.call('POST', '/api/v1/endpoints', { url: 'http://10.0.0.1/' });
    expect(body.detail).toContain('EGRESS_ALLOW');
  });

  it('is not there for the key of another account', async () => {
    const { id } = await create({});
    for (const missing of [id, NO_ID, 'no-id']) {
      const path = `/api/v1/endpoints/${missing}`;
      await app.must(404, 'GET', path, undefined, { key: keyB });
      await app.must(404, 'PATCH', path, { name: 'x' }, { key: keyB });
      for (const action of ['enable', 'disable', 'rotate-secret'])
        await app.must(404, 'POST', `${path}/${action}`, undefined, { key: keyB });
      await app.must(404, 'DELETE', path, undefined, { key: keyB });
    }
    await app.must(200, 'GET', `/api/v1/endpoints/${id}`, undefined, { key: keyA });
  });

  it('never shows passwords and tokens, and lets null end the authentication', async () => {
    const basic = await create({ auth: { type: 'basic', username: 'u', password: 'very-hidden', token: 'also-hidden' } });
    expect(basic.auth).toEqual({ type: 'basic', username: 'u' });
    const path = `/api/v1/endpoints/${basic.id}`;
    const bearer = await app.call('PATCH', path, { auth: { type: 'bearer', token: 'deeply-hidden' } });
    expect(bearer.body.auth).toEqual({ type: 'bearer' });
    expect((await app.call('GET', '/api/v1/endpoints')).text).not.toContain('hidden');
    const row = await app.storage.db.selectFrom('endpoints').selectAll().where('id', '=', basic.id).executeTakeFirstOrThrow();
    expect(row.auth).toMatch(/^enc:v1:/);
    expect(fromRow(row, app.app.get(SecretBox, { strict: false })).auth).toEqual({ type: 'bearer', token: 'deeply-hidden' });
    expect(await app.must(200, 'PATCH', path, { auth: null })).toMatchObject({ auth: null });
  });

  describe('whose sealed columns are damaged', () => {
    const list = (key: string) => app.must(200, 'GET', '/api/v1/endpoints', undefined, { key });
    const damaged = async (account: string): Promise<{ key: string; id: string; path: string }> => {
      const key = await app.newAccount(account);
      const { id } = await create({ name: 'hurt', headers: { 'X-A': '1' }, auth: { type: 'bearer', token: 't' } }, key);
      await create({ name: 'sound' }, key);
      const moved = await create({ headers: { 'X-B': '2' }, auth: { type: 'bearer', token: 'u' } });
      const { secret, headers, auth } = await app.storage.db
        .selectFrom('endpoints')
        .selectAll()
        .where('id', '=', moved.id)
        .executeTakeFirstOrThrow();
      await app.storage.db.updateTable('endpoints').set({ secret, headers, auth }).where('id', '=', id).execute();
      return { key, id, path: `/api/v1/endpoints/${id}` };
    };

    it('is listed and shown with its fault, among sound ones', async () => {
      const { key, path } = await damaged('damaged-list');
      const hurt = { name: 'hurt', url: URL, headers: {}, auth: null, fault: 'secret_unreadable' };
      expect((await list(key)).data).toMatchObject([hurt, { name: 'sound', fault: null }]);
      expect(await app.must(200, 'GET', path, undefined, { key })).toMatchObject(hurt);
    });

    it('is switched and changed, keeping what cannot be opened as it is', async () => {
      const { key, id, path } = await damaged('damaged-switch');
      const columns = ['secret', 'headers', 'auth'] as const;
      const sealed = () => app.storage.db.selectFrom('endpoints').select(columns).where('id', '=', id).executeTakeFirstOrThrow();
      const before = await sealed();
      expect(await app.must(200, 'POST', `${path}/disable`, undefined, { key })).toMatchObject({ enabled: false });
      expect(await app.must(200, 'PATCH', path, { name: 'x', enabled: true }, { key })).toMatchObject({
        name: 'x',
        fault: 'secret_unreadable',
      });
      expect(await sealed()).toEqual(before);
    });

    it('is sound again once its secret, headers and auth are given anew', async () => {
      const { key, path } = await damaged('damaged-repair');
      const rotated = await app.must(200, 'POST', `${path}/rotate-secret`, undefined, { key });
      expect(rotated).toMatchObject({ secret: expect.stringMatching(/^whsec_/), previousSecretUntil: null, fault: 'secret_unreadable' });
      expect((await app.call('PATCH', path, { headers: { 'X-Key': '***' } }, { key })).status).toBe(422);
      expect(await app.must(200, 'PATCH', path, { headers: { 'X-C': '3' }, auth: null }, { key })).toMatchObject({
        headers: { 'X-C': '3' },
        auth: null,
        fault: null,
      });
    });

    it('can be deleted', async () => {
      const { key, path } = await damaged('damaged-delete');
      await app.must(204, 'DELETE', path, undefined, { key });
      expect((await list(key)).data).toHaveLength(1);
    });
  });

  it('takes a secret of the caller’s own', async () => {
    const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
    expect((await create({ secret })).secret).toBe(secret);
    const bare = Buffer.alloc(64, 2).toString('base64');
    expect((await create({ secret: bare })).secret).toBe(`whsec_${bare}`);
  });

  it.each([
    [{ previousSecretUntil: 'tomorrow' }, 'previousSecretUntil'],
    [{ previousSecretUntil: '2199-01-01T00:00:00Z' }, 'previousSecretUntil'],
    [{ secret: 'x' }, 'secret'],
    [{ overlap: 1 }, 'overlap'],
  ])('refuses to rotate by %j', async (body, path) => {
    const { id } = await create({});
    const answer = await app.call('POST', `/api/v1/endpoints/${id}/rotate-secret`, body);
    expect([answer.status, ...paths(answer)]).toEqual([422, path]);
  });

  describe('with a receiver', () => {
    let receiver: Receiver;

    beforeEach(async () => (receiver = await Receiver.start()));
    afterEach(() => receiver.stop());

    const publish = async (key: string): Promise<string> =>
      (await app.must(202, 'POST', '/api/v1/events', { application: 'shop', eventType: 'paid', message: 1 }, { key })).id as string;
    const arrives = (id: string) => eventually('it arrives', () => receiver.received.find((request) => request.id === id));

    it('signs with both secrets after a rotation, and with the new one alone when asked so', async () => {
      const key = await app.newAccount('rotation');
      const { id, secret } = await app.subscribe(receiver.url, {}, { key });
      const rotated = await app.must(200, 'POST', `/api/v1/endpoints/${id}/rotate-secret`, undefined, { key });
      expect(rotated.secret).not.toBe(secret);
      expect(Date.parse(rotated.previousSecretUntil) - Date.now()).toBeGreaterThan(86_300_000);
      for (const secrets of [[secret], [rotated.secret]]) {
        receiver.secrets = secrets;
        expect(await arrives(await publish(key))).toMatchObject({ verified: true });
      }
      const past = new Date(Date.now() - 1_000).toISOString();
      const again = await app.must(200, 'POST', `/api/v1/endpoints/${id}/rotate-secret`, { previousSecretUntil: past }, { key });
      expect(again.previousSecretUntil).toBeNull();
      for (const [secrets, verified] of [
        [[again.secret], true],
        [[rotated.secret], false],
      ] as const) {
        receiver.secrets = [...secrets];
        expect(await arrives(await publish(key))).toMatchObject({ verified });
      }
    });

    it('sends its own headers and authentication', async () => {
      const key = await app.newAccount('headers');
      const auth = { type: 'basic', username: 'Aladdin', password: 'open sesame' };
      await app.subscribe(receiver.url, { headers: { 'X-Team': 'a' }, auth }, { key });
      const { headers } = await arrives(await publish(key));
      expect(headers).toMatchObject({ 'x-team': 'a', authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' });
    });

    it('gets what is published from the answer on, and what waited when it is enabled again', async () => {
      const key = await app.newAccount('switched');
      const { id } = await app.subscribe(receiver.url, { retrySchedule: [0.1] }, { key });
      receiver.answer = () => ({ status: 500 });
      const first = await publish(key);
      await arrives(first);
      expect(await app.must(200, 'POST', `/api/v1/endpoints/${id}/disable`, undefined, { key })).toMatchObject({
        enabled: false,
        disabledReason: 'manual',
      });
      receiver.answer = () => ({ status: 204 });
      expect(await app.eventIs(await publish(key), 'filtered')).toMatchObject({ filteredReason: 'endpoint_disabled' });
      await app.must(200, 'POST', `/api/v1/endpoints/${id}/enable`, undefined, { key });
      expect((await app.eventIs(await publish(key), 'delivered')).deliveries).toHaveLength(1);
      await eventually('the first is settled', async () => {
        const { status } = await app.must(200, 'GET', `/api/v1/events/${first}`);
        return status === 'delivered' || status === 'dead';
      });
    });

    it('has its open deliveries cancelled when it is deleted', async () => {
      const key = await app.newAccount('deleted');
      const { id } = await app.subscribe(receiver.url, {}, { key });
      receiver.answer = () => ({ status: 500 });
      const event = await publish(key);
      await arrives(event);
      await app.must(204, 'DELETE', `/api/v1/endpoints/${id}`, undefined, { key });
      const { deliveries } = await app.eventIs(event, 'cancelled');
      expect(deliveries).toEqual([expect.objectContaining({ status: 'cancelled', reason: 'endpoint_deleted', nextAttemptAt: null })]);
      await app.must(409, 'POST', `/api/v1/deliveries/${deliveries[0].id}/retry`, undefined, { key });
      expect(await app.eventIs(await publish(key), 'filtered')).toMatchObject({ filteredReason: 'no_filter' });
      await app.ledger();
    });
  });
});
