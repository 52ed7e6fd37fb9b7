import { createHmac, randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { acquireVhost } from '../support/services/services';
import { ENGINES, RestApp } from './rest-app';

interface Source {
  id: string;
  url: string;
  secret: string;
}

type Headers = Record<string, string>;

const sign = (body: string | Buffer, secret: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

const pushOf = (body: string | Buffer, secret: string, headers: Headers = {}): Headers => ({
  'content-type': 'application/json',
  'x-github-event': 'push',
  'x-github-delivery': randomUUID(),
  'x-hub-signature-256': sign(body, secret),
  ...headers,
});

describe.each(ENGINES)('/in on %s', (engine) => {
  let app: RestApp;
  let receiver: Receiver;
  let vhost: Awaited<ReturnType<typeof acquireVhost>> | undefined;

  beforeAll(async () => {
    vhost = engine === 'postgres' ? await acquireVhost() : undefined;
    app = await RestApp.start(engine, vhost && { RABBITMQ_URL: vhost.url });
    receiver = await Receiver.start();
  });
  afterAll(async () => {
    await app.close();
    await receiver.stop();
    await vhost?.release();
  });
  beforeEach(() => void (receiver.received.length = 0));

  const create = async (source: object = {}): Promise<Source> => {
    const application = `app-${randomUUID()}`;
    return app.must(201, 'POST', '/api/v1/sources', { name: 'a source', application, verification: { type: 'github' }, ...source });
  };

  const send = async (url: string, body: string | Buffer, headers: Headers, method = 'POST') => {
    const init = { method, headers, ...(method !== 'GET' && { body: new Uint8Array(Buffer.from(body)) }) };
    const response = await fetch(app.url + url, init);
    const text = await response.text();
    return { status: response.status, text, type: response.headers.get('content-type') };
  };

  const counts = async ({ id }: Source) => {
    const { sources } = await app.must(200, 'GET', '/api/v1/ledger');
    return sources.find(({ source }: { source: string }) => source === `in:${id}`) as Record<string, number> | undefined;
  };

  const events = async ({ id }: Source) =>
    app.storage.db.selectFrom('events').selectAll().where('source', '=', `in:${id}`).orderBy('id').execute();

  it('takes what is signed, once, and delivers it', async () => {
    const account = `account-${randomUUID()}`;
    const source = await create({ accountId: account, application: 'repository' });
    expect(source.url).toMatch(/^\/in\//);
    const endpoint = await app.must(201, 'POST', '/api/v1/endpoints', { url: receiver.url, accountId: account });
    await app.must(201, 'POST', '/api/v1/filters', { accountId: account, endpointIds: [endpoint.id] });
    const body = '{"zen": 12345678901234567890}';
    const headers = pushOf(body, source.secret);
    expect(await send(source.url, body, headers)).toMatchObject({ status: 200, text: '' });
    expect((await send(source.url, body, headers)).status).toBe(200);
    await eventually('both are accounted for', async () => {
      expect(await counts(source)).toMatchObject({ accepted: 2, delivered: 1, duplicate: 1 });
      return true;
    });
    expect(receiver.bodies[0]).toMatchObject({ accountId: account, application: 'repository', eventType: 'push', context: null });
    expect(receiver.received[0]?.body.toString()).toContain('"data":{"zen": 12345678901234567890}');
    await app.ledger();
  });

  it('delivers a body of any type byte for byte where that is asked for', async () => {
    const account = `account-${randomUUID()}`;
    const source = await create({ accountId: account });
    const raw = { url: receiver.url, accountId: account, properties: { body: 'raw' } };
    const { id } = await app.must(201, 'POST', '/api/v1/endpoints', raw);
    await app.must(201, 'POST', '/api/v1/filters', { accountId: account, endpointIds: [id] });
    const bodies: [string, Buffer][] = [
      ['text/plain; charset=utf-8', Buffer.from(' {"a" : 1}\r\n')],
      ['application/octet-stream', Buffer.from([0, 255, 254, 10, 34])],
      ['application/json', Buffer.from('{"not": JSON')],
    ];
    for (const [type, body] of bodies) {
      expect((await send(source.url, body, pushOf(body, source.secret, { 'content-type': type }))).status).toBe(200);
    }
    await eventually('all came', () => receiver.received.length === bodies.length);
    const received = receiver.received.map(({ headers, body }) => [headers['content-type'], body.toString('hex')]);
    expect(received.sort()).toEqual(bodies.map(([type, body]) => [type, body.toString('hex')]).sort());
    const kept = await events(source);
    expect(kept.map(({ context }) => (context === null ? null : JSON.parse(Buffer.from(context).toString())))).toEqual([
      null,
      { encoding: 'base64' },
      { unreadable: 'malformed_json' },
    ]);
  });

  it.each<[string, number, string, (source: Source) => Promise<{ status: number; text: string }>]>([
    [
      'an unknown token',
      404,
      'not_found',
      async () => {
        const answer = await send(`/in/${'A'.repeat(43)}`, '{}', pushOf('{}', 'x'));
        expect(JSON.parse(answer.text).detail).toBe('This /in URL is not known');
        return answer;
      },
    ],
    ['what is no token', 404, 'not_found', () => send('/in/x', '{}', {})],
    ['too much for an unknown token', 404, 'not_found', () => send(`/in/${'B'.repeat(43)}`, Buffer.alloc(4_194_304), {})],
    ['too much', 413, 'body_too_large', ({ url }) => send(url, Buffer.alloc(4_194_304), {})],
    ['another encoding', 415, 'unsupported_encoding', ({ url }) => send(url, '{}', { 'content-encoding': 'br' })],
    ['no signature', 401, 'signature_missing', ({ url }) => send(url, '{}', {})],
    ['another secret', 401, 'signature_invalid', ({ url }) => send(url, '{}', pushOf('{}', 'x'))],
    ['another body', 401, 'signature_invalid', ({ url, secret }) => send(url, '{ }', pushOf('{}', secret))],
    ['a GET of a platform that asks nothing', 404, 'not_found', ({ url }) => send(url, '', {}, 'GET')],
    ['an OPTIONS of one', 404, 'not_found', ({ url }) => send(url, '', {}, 'OPTIONS')],
  ])('refuses %s with %i %s, and never says the token', async (_what, status, code, refused) => {
    const source = await create();
    const answer = await refused(source);
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([status, code]);
    expect(answer.text).not.toContain(source.url.slice(4));
    expect(await counts(source)).toBeUndefined();
  });

  it.each([
    ['twilio', { type: 'twilio', secret: 'token' }, 'hookServer.publicUrl or verification.url'],
    ['hmac', { type: 'hmac', header: 'x-sig', template: '{url}{body}' }, 'hookServer.publicUrl'],
  ])('says of a source of %s that it needs its URL, at once and to its sender', async (_type, verification, missing) => {
    const note = expect.stringContaining(`; until ${missing} is set its requests are answered 503`);
    const source = await create({ verification });
    expect(source).toMatchObject({ fault: 'channel_not_configured', urlNote: note, url: expect.stringMatching(/^\/in\//) });
    const signed = {
      'x-twilio-signature': Buffer.alloc(20).toString('base64'),
      'x-sig': '00'.repeat(32),
      'content-type': 'application/x-www-form-urlencoded',
    };
    const { status, text } = await send(source.url, 'a=b', signed);
    expect([status, JSON.parse(text)]).toEqual([
      503,
      expect.objectContaining({ title: 'A setting that checks the sender is missing', detail: 'hookServer.publicUrl is not set' }),
    ]);
  });

  it('finds nothing missing where a source of twilio has its URL', async () => {
    const verification = { type: 'twilio', secret: 'token', url: 'https://hooks.example.com/in' };
    expect(await create({ verification })).toMatchObject({ fault: null, urlNote: expect.not.stringContaining('503') });
  });

  it('lists a refusal under its source, without the token', async () => {
    const source = await create();
    await send(source.url, '{}', pushOf('{}', 'x'));
    const found = await eventually('it is listed', async () => {
      const { data } = await app.must(200, 'GET', '/api/v1/requests');
      return (data as { source: string; path: string }[]).find((request) => request.source === `in:${source.id}`);
    });
    expect(found.path).toBe('/in/***');
    expect(JSON.stringify(found)).not.toContain(source.url.slice(4));
    const { data } = await app.must(200, 'GET', '/api/v1/requests?source=in&limit=200');
    expect(data).toContainEqual(found);
    expect(data.every(({ source: of }: { source: string }) => of === 'in' || of.startsWith('in:'))).toBe(true);
  });

  it('lets the old secret in beside the new one, for a while', async () => {
    const source = await create();
    const isIn = async (secret: string): Promise<boolean> => (await send(source.url, '{}', pushOf('{}', secret))).status === 200;
    const first = await app.must(200, 'POST', `/api/v1/sources/${source.id}/rotate-secret`, {});
    expect([await isIn(source.secret), await isIn(first.secret)]).toEqual([true, true]);
    const second = await app.must(200, 'POST', `/api/v1/sources/${source.id}/rotate-secret`, {
      secret: 'one of my own',
      previousSecretUntil: '2020-01-01T00:00:00Z',
    });
    expect(second).toMatchObject({ secret: 'one of my own', previousSecretUntil: null });
    expect([await isIn(source.secret), await isIn(first.secret), await isIn('one of my own')]).toEqual([false, false, true]);
  });

  it('ends a rotation with the secret that a PATCH sets, and with no other PATCH', async () => {
    const source = await create();
    const isIn = async (secret: string): Promise<boolean> => (await send(source.url, '{}', pushOf('{}', secret))).status === 200;
    const patch = (changes: object) => app.must(200, 'PATCH', `/api/v1/sources/${source.id}`, changes);
    const { secret } = await app.must(200, 'POST', `/api/v1/sources/${source.id}/rotate-secret`, {});
    expect((await patch({ name: 'another', verification: { type: 'github' } })).previousSecretUntil).not.toBeNull();
    expect([await isIn(source.secret), await isIn(secret)]).toEqual([true, true]);
    expect((await patch({ verification: { secret: 'mine' } })).previousSecretUntil).toBeNull();
    expect([await isIn(source.secret), await isIn(secret), await isIn('mine')]).toEqual([false, false, true]);
  });

  it.each([
    [
      { status: 202, contentType: 'application/json', body: '{"ok":true}' },
      { status: 202, text: '{"ok":true}', type: 'application/json' },
    ],
    [{ status: 204 }, { status: 204, text: '', type: null }],
  ])('answers %j as it was told', async (response, expected) => {
    const source = await create({ response });
    expect(await send(source.url, '{}', pushOf('{}', source.secret))).toEqual(expected);
  });

  it('answers a page that runs no script at its own origin', async () => {
    const source = await create({ response: { contentType: 'text/html', body: '<script>alert(1)</script>' } });
    const answer = await fetch(app.url + source.url, { method: 'POST', headers: pushOf('{}', source.secret), body: '{}' });
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  });

  it.each<[string | undefined, Headers, string]>([
    ['header:constructor', {}, 'webhook'],
    ['header:__proto__', {}, 'webhook'],
    ['header:X-Kind', { 'x-kind': 'created' }, 'created'],
    ['body:event[1].name', {}, 'closed'],
    ['body:missing', {}, 'webhook'],
    [undefined, {}, 'webhook'],
  ])('finds the event type by %s', async (eventTypeFrom, more, expected) => {
    const source = await create({ ...(eventTypeFrom !== undefined && { eventTypeFrom }) });
    const body = '{"event":[{},{"name":"closed"}]}';
    const { 'x-github-event': _, ...headers } = pushOf(body, source.secret, more);
    expect((await send(source.url, body, headers)).status).toBe(200);
    const [event] = await eventually('it is there', async () => {
      const found = await events(source);
      return found.length > 0 && found;
    });
    expect(event?.event_type).toBe(expected);
  });

  it('delivers what a source sent that is deleted meanwhile', async () => {
    const source = await create();
    expect((await send(source.url, '{}', pushOf('{}', source.secret))).status).toBe(200);
    await app.must(204, 'DELETE', `/api/v1/sources/${source.id}`);
    await eventually('it is accounted for', async () => (await counts(source))?.['accepted'] === 1);
    expect((await send(source.url, '{}', pushOf('{}', source.secret))).status).toBe(404);
    await app.ledger();
  });
});
