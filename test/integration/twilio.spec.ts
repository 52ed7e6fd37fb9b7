import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool, request as send } from 'undici';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Receiver } from '../support/receiver';
import { AUTH_TOKEN, PUBLIC_URL, type TwilioRequest, signForm, signGet, signJson } from '../support/twilio-sender';
import { RestApp } from './rest-app';

const payload = (name: string): Buffer => readFileSync(join(__dirname, '../fixtures/twilio/payloads', name));
const formOf = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString();

const EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>';
const SETTINGS = { HOOK_SERVER_TWILIO_AUTH_TOKEN: AUTH_TOKEN, PUBLIC_URL };

interface TwilioAnswer {
  status: number;
  type: string;
  text: string;
  headers: Record<string, string | string[] | undefined>;
}

let app: RestApp;
const start = async (env: NodeJS.ProcessEnv = {}): Promise<void> => {
  app = await RestApp.start('sqlite', { ...SETTINGS, ...env });
};
let engines: Engines | undefined;
afterEach(async () => {
  await app.close();
  await engines?.release();
  engines = undefined;
});

async function ask({ path, headers }: TwilioRequest, body?: Buffer | string): Promise<TwilioAnswer> {
  const method = body === undefined ? 'GET' : 'POST';
  const response = await send(app.url + path, { method, headers, ...(body !== undefined && { body }) });
  const text = await response.body.text();
  return { status: response.statusCode, type: String(response.headers['content-type']), text, headers: response.headers };
}

const post = (path: string, form: Buffer | string, more: Record<string, string> = {}): Promise<TwilioAnswer> => {
  const { headers } = signForm(path, form);
  return ask({ path, headers: { ...headers, ...more } }, form);
};

const codeOf = ({ text }: TwilioAnswer): string => (JSON.parse(text) as { code: string }).code;

/** All events once so many requests have come through. */
const eventsAfter = (requests: number): Promise<Record<string, string>[]> =>
  eventually('they are dispatched', async () => {
    const { door } = await app.must(200, 'GET', '/api/v1/ledger');
    expect(door.dispatched).toBe(requests);
    return (await app.must(200, 'GET', '/api/v1/events?limit=200')).data as Record<string, string>[];
  });

describe('signed by Twilio’s SDK', () => {
  beforeEach(() => start());

  /** Every request like the given one, but for one byte of its body. */
  function* alterations(body: Buffer): Generator<Buffer> {
    for (let at = 0; at < body.length; at++) {
      const altered = Buffer.from(body);
      altered[at] = body[at] === 0x78 ? 0x79 : 0x78;
      yield altered;
    }
  }

  it('a form is taken, and refused with any byte of it altered', async () => {
    const body = payload('twilio_sms_inbound.form');
    const request = signForm('/twilio?tenant=acme', body);
    expect(await ask(request, body)).toMatchObject({ status: 200, text: EMPTY });
    for (const altered of alterations(body)) expect((await ask(request, altered)).status).toBe(401);
    expect((await ask({ ...request, path: '/twilio?tenant=acmf' }, body)).status).toBe(401);
  });

  it('a list of events is taken, and refused with any byte of it altered', async () => {
    const body = payload('twilio_event_streams_batch.json');
    const request = signJson('/twilio/events', body);
    expect(await ask(request, body)).toMatchObject({ status: 200, text: EMPTY });
    for (const altered of alterations(body)) expect((await ask(request, altered)).status).toBe(401);
  });

  it('a GET is taken, also with the same body as a POST, and never kept by a cache', async () => {
    const form = payload('twilio_voice_inbound.form').toString();
    const request = signGet(`/twilio/voice?${form}`);
    const answer = await ask(request);
    expect(answer).toMatchObject({ status: 200, text: EMPTY, type: 'text/xml; charset=utf-8' });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await ask({ ...request, path: `${request.path}&a=1` })).status).toBe(401);
    await post('/twilio/voice', form);
    const [event, ...others] = await eventsAfter(2);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ application: 'twilio', eventType: 'voice' });
  });

  it('JSON is taken at the doors of forms too, but not without the hash in its URL', async () => {
    expect((await ask(signJson('/twilio', '{"type":"a"}'), '{"type":"a"}')).status).toBe(200);
    const { headers } = signGet('/twilio');
    const answer = await ask({ path: '/twilio', headers: { ...headers, 'content-type': 'application/json' } }, '{"type":"a"}');
    expect([answer.status, codeOf(answer)]).toEqual([401, 'signature_invalid']);
  });

  it('a form with more parameters than Twilio sends is refused before its signature costs anything', async () => {
    const answer = await ask({ path: '/twilio', headers: signForm('/twilio', '').headers }, 'a&'.repeat(1_000_000));
    expect([answer.status, codeOf(answer)]).toEqual([413, 'body_too_large']);
  });

  it('a form that is longer than Twilio’s is refused before it is decoded', async () => {
    const form = (length: number): string => `AccountSid=AC1&Body=${'%41'.repeat(length / 3)}`;
    expect((await post('/twilio', form(500_000))).status).toBe(200);
    const answer = await ask({ path: '/twilio', headers: signForm('/twilio', '').headers }, form(600_000));
    expect([answer.status, codeOf(answer)]).toEqual([413, 'body_too_large']);
  });

  it('a list of more events than Twilio sends is refused, since it would hold up everybody’s', async () => {
    const list = (events: number): string => `[${Array.from({ length: events }, (_, id) => `{"id":"${String(id)}"}`).join(',')}]`;
    expect((await ask(signJson('/twilio/events', list(1_000)), list(1_000))).status).toBe(200);
    const answer = await ask(signJson('/twilio/events', list(1_001)), list(1_001));
    expect([answer.status, codeOf(answer)]).toEqual([413, 'body_too_large']);
  });
});

it.each([
  ['https://gw.example.com/', 'https://gw.example.com'],
  ['https://gw.example.com/hooks', 'https://gw.example.com/hooks'],
  ['https://gw.example.com', 'https://gw.example.com:443'],
  ['http://gw.example.com:8080', 'http://gw.example.com'],
  ['http://gw.example.com:8080', 'http://gw.example.com:8080'],
])('known as %s it is believed when Twilio calls %s', async (publicUrl, url) => {
  await start({ PUBLIC_URL: publicUrl });
  const body = payload('twilio_sms_inbound.form');
  expect((await ask(signForm('/twilio/status', body, { url }), body)).status).toBe(200);
  expect((await ask(signForm('/twilio/status', body, { url: 'https://other.example.com' }), body)).status).toBe(401);
});

it('answers 503 while its public URL is not known', async () => {
  await start({ PUBLIC_URL: '' });
  for (const path of ['/twilio', '/twilio/voice']) {
    for (const answer of [await post(path, 'a=1'), await ask(signGet(`${path}?a=1`))]) {
      expect([answer.status, codeOf(answer)]).toEqual([503, 'channel_not_configured']);
      expect(answer.text).toContain('hookServer.publicUrl is not set');
    }
  }
  expect(await app.must(200, 'GET', '/api/v1/channels/twilio')).toMatchObject({ enabled: true, configured: false });
});

describe('the accounts', () => {
  const MAIN = 'AC00000000000000000000000000000001';
  const CUSTOMER = 'AC00000000000000000000000000000002';
  /** With a token of its own, and not mapped to an account. */
  const STRANGER = 'AC00000000000000000000000000000003';
  const form = (account: string, parameters: Record<string, string>): string => formOf({ AccountSid: account, ...parameters });

  it('own numbers and Twilio accounts; a number says more, but nothing for who signs with a token of his own', async () => {
    await start({ HOOK_SERVER_TWILIO_AUTH_TOKEN: `${AUTH_TOKEN},${CUSTOMER}:customers-token,${STRANGER}:strangers-token` });
    const map = async (accountId: string, externalId: string): Promise<void> => {
      await app.must(201, 'POST', `/api/v1/accounts/${accountId}/identities`, { channel: 'twilio', externalId });
    };
    for (const [account, id] of [
      ['acme', '+1'],
      ['house', MAIN],
      ['customer', CUSTOMER],
    ] as const)
      await map(account, id);
    const sent: [string, string, string][] = [
      [form(MAIN, { MessageSid: 'SM1', To: '+1' }), AUTH_TOKEN, 'acme'],
      [form(MAIN, { MessageSid: 'SM2', To: '+2' }), AUTH_TOKEN, 'house'],
      [form(CUSTOMER, { MessageSid: 'SM3', To: '+3' }), 'customers-token', 'customer'],
      [form(CUSTOMER, { MessageSid: 'SM4', To: '+1' }), 'customers-token', 'customer'],
      [form('AC9', { MessageSid: 'SM5', To: '+3' }), AUTH_TOKEN, 'default'],
      [form(STRANGER, { MessageSid: 'SM6', To: '+1' }), 'strangers-token', 'default'],
    ];
    const expected = new Map<string, string>();
    for (const [body, token, account] of sent) {
      const answer = await ask(signForm('/twilio', body, { token }), body);
      expect(answer.status).toBe(200);
      expected.set(String(answer.headers['x-request-id']), account);
    }
    const events = await eventsAfter(sent.length);
    expect(new Map(events.map(({ requestId, accountId }) => [requestId!, accountId!]))).toEqual(expected);
  });

  it('cannot be spoken for with the token of another', async () => {
    await start({ HOOK_SERVER_TWILIO_AUTH_TOKEN: `${MAIN}:${AUTH_TOKEN},${CUSTOMER}:customers-token` });
    const body = form(MAIN, { MessageSid: 'SM1', To: '+1' });
    expect((await ask(signForm('/twilio', body), body)).status).toBe(200);
    const forged = await ask(signForm('/twilio', body, { token: 'customers-token' }), body);
    expect([forged.status, codeOf(forged)]).toEqual([401, 'signature_invalid']);
    expect((await ask(signGet(`/twilio?${body}`, { token: 'customers-token' }))).status).toBe(401);
  });
});

describe('Twilio’s idempotency token', () => {
  const TOKEN = 'i-twilio-idempotency-token';
  beforeEach(() => start());

  it('makes the second of two requests a duplicate, whatever else has changed', async () => {
    const form = (retry: string): string => formOf({ EventType: 'onMessageUpdated', ConversationSid: 'CH1', RetryCount: retry });
    for (const retry of ['0', '1']) expect((await post('/twilio/conversations', form(retry), { [TOKEN]: 'a' })).status).toBe(200);
    await post('/twilio/conversations', form('0'), { [TOKEN]: 'b' });
    expect(await eventsAfter(3)).toHaveLength(2);
    expect(await app.ledger()).toMatchObject({ accepted: 3, duplicate: 1 });
  });

  it('hides none of the events that share it', async () => {
    const body = '[{"type":"a"},{"type":"b"},{"type":"b","id":"1"}]';
    const { path, headers } = signJson('/twilio/events', body);
    for (let time = 0; time < 2; time++) expect((await ask({ path, headers: { ...headers, [TOKEN]: 'a' } }, body)).status).toBe(200);
    expect((await eventsAfter(2)).map(({ eventType }) => eventType).sort()).toEqual(['a', 'b', 'b']);
  });

  it.each(['x'.repeat(129), 'two words', 'é'])('is left alone where it is unfit: %s', async (token) => {
    const body = payload('twilio_sms_inbound.form');
    for (const unfit of [token, `${token}2`])
      expect((await post('/twilio', body, { [TOKEN]: Buffer.from(unfit).toString('latin1') })).status).toBe(200);
    expect(await eventsAfter(2)).toHaveLength(1);
  });
});

it('answers each number with its own reply, calls too, and reports with nothing', async () => {
  await start({
    HOOK_SERVER_TWILIO_REPLIES_MESSAGE: JSON.stringify({ '+1': 'Thanks & bye', default: '' }),
    HOOK_SERVER_TWILIO_REPLIES_VOICE: JSON.stringify({ '+1': '<Response><Reject/></Response>' }),
  });
  const text = async (path: string, parameters: Record<string, string>): Promise<string> => {
    const { status, type, text: body } = await post(path, formOf(parameters));
    expect([status, type]).toEqual([200, 'text/xml; charset=utf-8']);
    return body;
  };
  expect(await text('/twilio', { To: '+1', MessageSid: 'SM1' })).toContain('<Response><Message>Thanks &amp; bye</Message></Response>');
  expect(await text('/twilio', { To: '+2', MessageSid: 'SM2' })).toBe(EMPTY);
  expect(await text('/twilio/voice', { To: '+1', CallSid: 'CA1', CallStatus: 'ringing' })).toBe('<Response><Reject/></Response>');
  expect(await text('/twilio/status', { To: '+1', MessageSid: 'SM1', MessageStatus: 'sent' })).toBe(EMPTY);
  expect(await text('/twilio/conversations', { EventType: 'onMessageAdd', ConversationSid: 'CH1' })).toBe('');
});

it('delivers the parameters as JSON, or the form as it came', async () => {
  await start();
  const [json, raw] = [await Receiver.start(), await Receiver.start()];
  try {
    await app.subscribe(json.url);
    await app.subscribe(raw.url, { properties: { body: 'raw' } });
    const form = 'From=%2B1&To=%2B2&MessageSid=SM1&Body=a+b&Digits=1&Digits=2&Empty=';
    const answer = await post('/twilio', form, { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' });
    expect(answer.status).toBe(200);
    const [delivered] = await eventually('it is delivered', () => json.bodies.length > 0 && raw.received.length > 0 && json.bodies);
    expect(delivered).toMatchObject({ type: 'twilio.message', accountId: 'default' });
    expect(delivered?.data).toEqual({ From: '+1', To: '+2', MessageSid: 'SM1', Body: 'a b', Digits: ['1', '2'], Empty: '' });
    expect(raw.received[0]?.body.toString()).toBe(form);
    expect(raw.received[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded; charset=utf-8');
  } finally {
    await Promise.all([json.stop(), raw.stop()]);
  }
});

describe.each(ENGINE_SETS)('on %s', (set) => {
  beforeEach(async () => {
    engines = await acquireEngines(set);
    const { rabbitMqUrl, databaseUrl } = engines.options;
    await start({ ...(rabbitMqUrl && { RABBITMQ_URL: rabbitMqUrl }), ...(databaseUrl && { DATABASE_URL: databaseUrl }) });
  });

  it('takes a burst of 2,000 requests, every one with 200', async () => {
    const pool = new Pool(app.url, { connections: 200 });
    const statuses = new Map<number, number>();
    const burst = Array.from({ length: 2_000 }, async (_, index) => {
      const body = formOf({ MessageSid: `SM${String(index)}`, From: '+1', To: '+2', Body: 'a', SmsStatus: 'received' });
      const { statusCode, body: answer } = await pool.request({ method: 'POST', body, ...signForm('/twilio', body) });
      expect(await answer.text()).toBe(EMPTY);
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    });
    await Promise.all(burst);
    await pool.destroy();
    expect(Object.fromEntries(statuses)).toEqual({ 200: 2_000 });
    await eventsAfter(2_000);
    expect(await app.ledger()).toMatchObject({ accepted: 2_000, filtered: 2_000 });
  });
});
