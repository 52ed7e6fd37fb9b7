import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { request } from 'undici';
import { Broker } from '../../src/broker/broker';
import { LedgerService } from '../../src/ledger/ledger.service';
import { Metrics } from '../../src/metrics/metrics.service';
import { Storage } from '../../src/storage/storage';
import { eventually } from '../support/eventually';
import { batchOf, signatureOf } from '../support/facebook-sender';
import { ADMIN_KEY, VERIFY_TOKEN } from '../support/gateway';
import { type FacebookApp, startFacebookApp } from './facebook-app';

const fixtures = join(__dirname, '../fixtures/facebook/payloads');
const MAX_BODY_BYTES = 3_145_728;
const DEFAULT_LANE = 'webhooks.facebook.default';
const OFF = { HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: 'false' };

let gateway: FacebookApp;

const start = async (env: NodeJS.ProcessEnv = {}): Promise<void> => {
  gateway = await startFacebookApp(env);
};

interface Answer {
  status: number;
  text: string;
  headers: Record<string, string | string[] | undefined>;
}

async function send(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}, body?: Buffer | string): Promise<Answer> {
  const response = await request(`${gateway.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.statusCode, text: await response.body.text(), headers: response.headers };
}

/** Signed and of the right type unless headers say otherwise; an empty header is left out. */
function post(body: Buffer | string, changes: Record<string, string> = {}): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body), ...changes };
  return send('POST', '/facebook', Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')), body);
}

const code = ({ text }: Answer): string => (JSON.parse(text) as { code: string }).code;
const depth = async (queue = DEFAULT_LANE): Promise<number> => (await gateway.app.get(Broker, { strict: false }).depth(queue)).messages;
const db = () => gateway.app.get(Storage, { strict: false }).db;

async function countOf(metric: 'accepted' | 'rejected', labels: Record<string, string>): Promise<number> {
  const { values } = await gateway.app.get(Metrics, { strict: false })[metric].get();
  const found = values.filter((value) =>
    Object.entries(labels).every(([name, label]) => (value.labels as Record<string, unknown>)[name] === label),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}

/** What test/conformance/channels does not try at every channel. */
const REFUSALS: [string, () => Promise<Answer>, number, string][] = [
  ['the SHA-1 signature alone', () => post('{}', { 'x-hub-signature-256': '', 'x-hub-signature': 'sha1=00' }), 401, 'signature_missing'],
  ['a signature by another secret', () => post('{}', { 'x-hub-signature-256': signatureOf('{}', 'x') }), 401, 'signature_invalid'],
  ['65 levels', () => post(`{"entry":[${'['.repeat(63)}${']'.repeat(63)}]}`), 400, 'json_too_deep'],
  ['a doubled encoding', () => post(gzipSync(gzipSync('{}')), { 'content-encoding': 'gzip, gzip' }), 415, 'unsupported_encoding'],
  [
    'another verify token',
    () => send('GET', '/facebook?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1'),
    403,
    'verify_token_mismatch',
  ],
  ['no verify token', () => send('GET', '/facebook'), 403, 'verify_token_mismatch'],
];

afterEach(() => gateway.close());

describe('the door', () => {
  beforeEach(() => start(OFF));

  it.each([
    ['no items', '{"object":"page","entry":[]}'],
    ['what is not UTF-8', Buffer.concat([Buffer.from('{"entry":[{"messaging":["'), Buffer.from([0xff]), Buffer.from('"]}]}')])],
    ['__proto__', '{"__proto__":{"entry":1},"entry":[]}'],
    ['64 levels', `{"entry":[${'['.repeat(62)}${']'.repeat(62)}]}`],
    ['almost 3 MiB', batchOf(['m1'], '1', 'x'.repeat(MAX_BODY_BYTES - 500))],
  ])('takes a request with %s', async (_what, body) => {
    expect((await post(body)).status).toBe(200);
    expect(await depth()).toBe(1);
  });

  it.each(REFUSALS)('refuses %s, keeps and counts none of it as accepted', async (_what, work, status, expected) => {
    const answer = await work();
    expect([answer.status, code(answer)]).toEqual([status, expected]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(await depth()).toBe(0);
    expect(await countOf('rejected', { source: 'facebook', code: expected })).toBe(1);
    expect(await countOf('accepted', { source: 'facebook' })).toBe(0);
    expect((await post(batchOf(['m1']))).status).toBe(200);
  });

  it('answers the handshake with the challenge alone, as plain text', async () => {
    const challenge = '<script>alert(1)</script>';
    const query = new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.verify_token': VERIFY_TOKEN, 'hub.challenge': challenge });
    const answer = await send('GET', `/facebook?${query.toString()}`);
    expect(answer).toMatchObject({ status: 200, text: challenge });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('secrets', () => {
  it('asks each route for its own secret', async () => {
    await start({ ...OFF, HOOK_SERVER_FACEBOOK_VERIFY_TOKEN: '' });
    expect((await send('GET', '/facebook')).status).toBe(503);
    expect((await post(batchOf(['m1']))).status).toBe(200);
    await gateway.close();
    await start({ HOOK_SERVER_FACEBOOK_APP_SECRET: '' });
    expect((await send('GET', '/facebook')).status).toBe(403);
    expect((await post(batchOf(['m1']))).status).toBe(503);
  });
});

describe('the lanes', () => {
  it('part floods and special pages from the rest, and are shown', async () => {
    await start({ ...OFF, HOOK_SERVER_FACEBOOK_SPAM_THRESHOLD: '2', HOOK_SERVER_FACEBOOK_SPECIAL_PAGES: '7,8' });
    await post(batchOf(['m1', 'm2'], '1'));
    await post(batchOf(['m3'], '1'));
    await post(batchOf(['m4'], '2'));
    await post(batchOf(['m5', 'm6', 'm7'], '8'));
    const path = '/api/v1/channels/facebook';
    expect((await send('GET', path)).status).toBe(401);
    const { status, text } = await send('GET', path, { authorization: `Bearer ${ADMIN_KEY}` });
    expect({ status, body: JSON.parse(text) }).toEqual({
      status: 200,
      body: {
        name: 'facebook',
        enabled: true,
        configured: true,
        processing: false,
        state: null,
        lanes: [
          { name: 'default', queue: 'webhooks.facebook.default', workerCount: 2, depth: 2 },
          { name: 'spam', queue: 'webhooks.facebook.spam', workerCount: 1, depth: 1 },
          { name: 'special', queue: 'webhooks.facebook.special', workerCount: 1, depth: 1 },
        ],
      },
    });
    expect((await send('GET', '/api/v1/channels/other', { authorization: `Bearer ${ADMIN_KEY}` })).status).toBe(404);
  });
});

describe('processing', () => {
  beforeEach(() => start());

  const ledger = async () => {
    const rows = await new LedgerService(gateway.app.get(Storage, { strict: false })).sums();
    return rows.find(({ source }) => source === 'facebook');
  };

  it('makes one event of each item, once, and accounts for it', async () => {
    const body = readFileSync(join(fixtures, 'meta_page_batch.json'));
    expect((await post(body)).status).toBe(200);
    expect((await post(body)).status).toBe(200);
    expect((await post('{"object":"page","entry":[]}')).status).toBe(200);
    await eventually('all is booked', async () => {
      expect(await ledger()).toMatchObject({ accepted: 18, filtered: 8, duplicate: 10, dead: 0, door_confirmed: 3, door_dispatched: 3 });
      return true;
    });
    const events = await db().selectFrom('events').select(['event_type', 'body', 'context', 'account_id']).execute();
    expect(events.map(({ event_type }) => event_type).sort()).toEqual([
      'delivery',
      'echo',
      'message',
      'message',
      'message',
      'postback',
      'reaction',
      'read',
    ]);
    for (const event of events) expect(body.includes(Buffer.from(event.body))).toBe(true);
    expect(new Set(events.map(({ account_id }) => account_id))).toEqual(new Set(['default']));
  });

  it('buries poison with its reason, and dispatches what came with it', async () => {
    const broker = gateway.app.get(Broker, { strict: false });
    const put = (id: string, body: string): Promise<void> =>
      broker.publish({ exchange: 'webhooks', routingKey: DEFAULT_LANE, id, body: Buffer.from(body), headers: {} });
    await Promise.all([put('p1', 'poison'), put('p2', batchOf(['m1'])), put('p3', '['.repeat(100_000)), put('p4', batchOf(['m2']))]);
    await eventually('all is booked', async () => {
      expect(await ledger()).toMatchObject({ accepted: 4, filtered: 2, dead: 2, door_dispatched: 4 });
      return true;
    });
    await eventually('they are buried', async () => (await depth(`${DEFAULT_LANE}.dead`)) === 2);
    expect(await depth()).toBe(0);
  });
});
