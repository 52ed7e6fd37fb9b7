import { createHmac, randomUUID } from 'node:crypto';
import { PRESETS } from '../../src/presets/presets';
import { eventually } from '../support/eventually';
import { PRESET_REQUESTS, type PresetRequest, type Sent } from './preset-requests';
import { type DeliveredBody, Receiver } from '../support/receiver';
import { acquireVhost } from '../support/services/services';
import { PUBLIC_URL } from '../support/twilio-sender';
import { ENGINES, RestApp } from './rest-app';

interface Source {
  id: string;
  accountId: string;
  /** Of its URL. */
  path: string;
}

it('sends by every preset', () => {
  expect(new Set(PRESET_REQUESTS.map(({ verification }) => verification.type))).toEqual(new Set(PRESETS.map(({ type }) => type)));
});

describe.each(ENGINES)('sources of each preset on %s', (engine) => {
  let app: RestApp;
  let receiver: Receiver;
  let vhost: Awaited<ReturnType<typeof acquireVhost>> | undefined;

  beforeAll(async () => {
    vhost = engine === 'postgres' ? await acquireVhost() : undefined;
    app = await RestApp.start(engine, { PUBLIC_URL, HTTP_TRUSTED_PROXIES: '127.0.0.1', ...(vhost && { RABBITMQ_URL: vhost.url }) });
    receiver = await Receiver.start();
  });
  afterAll(async () => {
    await app.close();
    await receiver.stop();
    await vhost?.release();
  });

  /** A source in an account of its own, all of whose events go to the receiver. */
  const create = async (verification: object, more: object = {}, properties: object = {}): Promise<Source> => {
    const accountId = `account-${randomUUID()}`;
    const given = { name: 'a source', application: 'shop', accountId, verification, eventTypeFrom: 'body:kind', ...more };
    const { id, url } = await app.must(201, 'POST', '/api/v1/sources', given);
    const endpoint = await app.must(201, 'POST', '/api/v1/endpoints', { url: receiver.url, accountId, properties });
    await app.must(201, 'POST', '/api/v1/filters', { accountId, endpointIds: [endpoint.id] });
    return { id, accountId, path: new URL(url as string).pathname };
  };

  const post = async ({ path }: Source, { headers, body, query = '' }: Sent) => {
    const response = await fetch(app.url + path + query, { method: 'POST', headers, body: new Uint8Array(body) });
    return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
  };

  const accounted = (source: Source, expected: Record<string, number>): Promise<unknown> =>
    eventually('all is accounted for', async () => {
      const { sources } = await app.must(200, 'GET', '/api/v1/ledger');
      expect(sources.find((one: { source: string }) => one.source === `in:${source.id}`)).toMatchObject(expected);
      return true;
    });

  const deliveredTo = ({ accountId }: Source): DeliveredBody[] => receiver.bodies.filter((body) => body.accountId === accountId);

  /** As stored, without what is before them; of a request without the sender's key, null. */
  const keysOf = async ({ id }: Source): Promise<(string | null)[]> => {
    const rows = await app.storage.db.selectFrom('event_keys').selectAll().where('key', 'like', `in:${id}:%`).orderBy('event_id').execute();
    return rows.map(({ key, request_id }) => (key.endsWith(`:${request_id}#0`) ? null : key.slice(key.indexOf(':account-') + 46)));
  };

  const spoiled = ({ spoil }: PresetRequest, sent: Sent): Sent => {
    if (spoil) return { ...sent, headers: { ...sent.headers, ...spoil } };
    const body = Buffer.from(sent.body);
    body[body.length >> 1] = body[body.length >> 1]! ^ 1;
    return { ...sent, body };
  };

  it.each(PRESET_REQUESTS)('$verification.type takes $title, once, and refuses it altered', async (request) => {
    const source = await create(request.verification);
    const sent = await request.make(source.path);
    if (request.spoil !== null) {
      const refused = await post(source, spoiled(request, sent));
      expect([refused.status, JSON.parse(refused.text).code]).toEqual([401, 'signature_invalid']);
    }
    for (let times = 0; times < 2; times++) expect(await post(source, sent)).toMatchObject({ status: 200, text: request.answer ?? '' });
    const { events } = request;
    const duplicates = events.filter(({ key }) => key !== null).length;
    const delivered = 2 * events.length - duplicates;
    await accounted(source, { accepted: 2 * events.length, delivered, duplicate: duplicates });
    const told = deliveredTo(source).map(({ application, eventType }) => [application, eventType]);
    expect(told.sort()).toEqual(events.flatMap(({ eventType, key }) => Array(key === null ? 2 : 1).fill(['shop', eventType])).sort());
    const keys = events.flatMap(({ key }) => (key === null ? [null, null] : [key instanceof RegExp ? expect.stringMatching(key) : key]));
    expect(await keysOf(source)).toEqual(keys);
  });

  it('hands on all attributes of a binary CloudEvent, its own ones too', async () => {
    const source = await create({ type: 'cloudevents' });
    const attributes = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't', 'ce-myextension': 'Gr%C3%BC%C3%9Fe' };
    const headers = { ...attributes, 'content-type': 'application/json' };
    expect((await post(source, { headers, body: Buffer.from('{}') })).status).toBe(200);
    await accounted(source, { delivered: 1 });
    expect(deliveredTo(source)[0]).toMatchObject({ eventType: 't', context: { myextension: 'Grüße', id: '1' } });
  });

  it('hands on GitHub’s text byte for byte where that is asked for', async () => {
    const source = await create({ type: 'github', secret: 's' }, {}, { body: 'raw' });
    const body = Buffer.from('Hello, World! \u0000 Grüße\r\n');
    const signature = `sha256=${createHmac('sha256', 's').update(body).digest('hex')}`;
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-github-event': 'ping', 'x-hub-signature-256': signature };
    receiver.clear();
    expect((await post(source, { headers, body })).status).toBe(200);
    await accounted(source, { delivered: 1 });
    const [received] = receiver.received.filter((one) => one.body.equals(body));
    expect(received?.headers['content-type']).toBe('text/plain; charset=utf-8');
    receiver.clear();
  });

  it('answers what the source says, not what the preset does', async () => {
    const request = PRESET_REQUESTS.find(({ verification }) => verification.type === 'meta')!;
    const source = await create(request.verification, { response: { status: 202, body: 'mine' } });
    expect(await post(source, await request.make(source.path))).toMatchObject({ status: 202, text: 'mine' });
  });

  it('answers a platform in its type', async () => {
    const request = PRESET_REQUESTS.find(({ verification }) => verification.type === 'twilio')!;
    const source = await create(request.verification);
    expect((await post(source, await request.make(source.path))).type).toBe('text/xml; charset=utf-8');
  });

  it.each<[string, object, string, string, Record<string, string>, number, string]>([
    [
      'Meta’s challenge',
      { type: 'meta', secret: 's', verifyToken: 'v' },
      'GET',
      '?hub.mode=subscribe&hub.verify_token=v&hub.challenge=42',
      {},
      200,
      '42',
    ],
    [
      'another verify token',
      { type: 'meta', secret: 's', verifyToken: 'v' },
      'GET',
      '?hub.mode=subscribe&hub.verify_token=w&hub.challenge=42',
      {},
      403,
      'verify_token_mismatch',
    ],
    ['X’s check', { type: 'twitter', secret: 's' }, 'GET', '?crc_token=t', {}, 200, createHmac('sha256', 's').update('t').digest('base64')],
    ['a check without a token', { type: 'twitter', secret: 's' }, 'GET', '', {}, 400, 'malformed_request'],
    ['who may send CloudEvents', { type: 'cloudevents' }, 'OPTIONS', '', { 'webhook-request-origin': 'sender.example' }, 200, ''],
    ['OPTIONS that ask nothing', { type: 'cloudevents' }, 'OPTIONS', '', {}, 400, 'malformed_request'],
  ])('answers %s', async (_what, verification, method, query, headers, status, text) => {
    const source = await create(verification);
    const response = await fetch(app.url + source.path + query, { method, headers });
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(text)]);
    if (method === 'OPTIONS' && status === 200) expect(response.headers.get('webhook-allowed-origin')).toBe('sender.example');
    const { sources } = await app.must(200, 'GET', '/api/v1/ledger');
    expect(sources.find((one: { source: string }) => one.source === `in:${source.id}`)).toBeUndefined();
  });

  it('answers Slack’s url_verification, signed, and stores nothing', async () => {
    const source = await create({ type: 'slack', secret: 's' });
    const body = '{"type":"url_verification","challenge":"c-1"}';
    const time = String(Math.floor(Date.now() / 1_000));
    const signature = (secret: string): string => `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`;
    const ask = (secret: string) =>
      post(source, {
        headers: { 'content-type': 'application/json', 'x-slack-request-timestamp': time, 'x-slack-signature': signature(secret) },
        body: Buffer.from(body),
      });
    expect((await ask('t')).status).toBe(401);
    expect(await ask('s')).toMatchObject({ status: 200, text: 'c-1' });
    const { sources } = await app.must(200, 'GET', '/api/v1/ledger');
    expect(sources.find((one: { source: string }) => one.source === `in:${source.id}`)).toBeUndefined();
  });
});
