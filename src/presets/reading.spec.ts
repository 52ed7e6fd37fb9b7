import { GatewayError } from '../core/errors';
import type { PresetEvent } from './preset';
import { findPreset } from './presets';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

const read = (
  type: string,
  body: Buffer | string | object,
  headers: Record<string, string> = {},
  contentType = JSON_TYPE,
): PresetEvent[] => {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return findPreset(type)!.reading.read({ headers, contentType, body: bytes });
};
const dataOf = ([event]: PresetEvent[]): unknown => JSON.parse(event!.data.toString());

it.each<[string, PresetEvent[], object]>([
  ['github', read('github', {}, { 'x-github-event': 'push', 'x-github-delivery': 'D1' }), { eventType: 'push', dedupeKey: 'D1' }],
  ['gitlab', read('gitlab', {}, { 'x-gitlab-event': 'Push Hook', 'idempotency-key': 'K' }), { eventType: 'Push Hook', dedupeKey: 'K' }],
  [
    'stripe',
    read('stripe', { id: 'evt_1', type: 'charge.failed', created: 1_700_000_000 }),
    { eventType: 'charge.failed', dedupeKey: 'evt_1', timestamp: '2023-11-14T22:13:20.000Z' },
  ],
  [
    'shopify',
    read('shopify', {}, { 'shopify-topic': 'products/update', 'shopify-webhook-id': 'W' }),
    { eventType: 'products/update', dedupeKey: 'W' },
  ],
  [
    'slack',
    read('slack', { type: 'event_callback', event_id: 'Ev1', event: { type: 'message' } }),
    { eventType: 'message', dedupeKey: 'Ev1' },
  ],
  ['slack', read('slack', 'payload=%7B%22type%22%3A%22block_actions%22%7D', {}, FORM_TYPE), { eventType: 'block_actions' }],
  ['slack', read('slack', 'command=%2Fweather&trigger_id=T', {}, FORM_TYPE), { eventType: '/weather', dedupeKey: 'T' }],
  ['standard-webhooks', read('standard-webhooks', { type: 'a.b' }, { 'webhook-id': 'msg_1' }), { eventType: 'a.b', dedupeKey: 'msg_1' }],
  ['svix', read('svix', { type: 'a.b' }, { 'svix-id': 'msg_1' }), { eventType: 'a.b', dedupeKey: 'msg_1' }],
  ['webex', read('webex', { resource: 'messages', event: 'created', data: { id: 'M' } }), { eventType: 'messages.created' }],
  ['twilio', read('twilio', [{ id: 'E', source: 'S', type: 'com.twilio.x' }]), { eventType: 'com.twilio.x', dedupeKey: 'S E' }],
  ['twilio', read('twilio', 'MessageSid=SM1&SmsStatus=received', {}, FORM_TYPE), { eventType: 'received', dedupeKey: 'SM1 received' }],
  ['twilio', read('twilio', 'MessageSid=SM1', { 'i-twilio-idempotency-token': 'T' }, FORM_TYPE), { dedupeKey: 'T#0' }],
  ['twitter', read('twitter', { for_user_id: '1', follow_events: [{ id: '2' }] }), { eventType: 'follow', dedupeKey: '1:follow:2' }],
])('%s names its events', (_type, events, expected) => {
  expect(events).toEqual([expect.objectContaining(expected)]);
});

it('makes an event of each item of Meta’s', () => {
  const messaging = [
    { timestamp: 1, message: { mid: 'm' } },
    { timestamp: 2, message: { is_echo: true } },
    { timestamp: 3, postback: {} },
  ];
  const events = read('meta', {
    object: 'page',
    entry: [
      { id: 'P', time: 5, messaging },
      { id: 'Q', time: 6, changes: [{ field: 'feed' }] },
    ],
  });
  expect(events.map(({ eventType }) => eventType)).toEqual(['message', 'echo', 'postback', 'feed']);
  expect(new Set(events.map(({ dedupeKey }) => dedupeKey)).size).toBe(4);
  expect(JSON.parse(events[0]!.context!.toString())).toEqual({ object: 'page', entryId: 'P', entryTime: 5 });
});

it.each([
  ['JSON', ' {"n":12345678901234567890.10} ', JSON_TYPE, '{"n":12345678901234567890.10}'],
  ['JSON in a form', 'payload=%7B%22a%22%3A1%7D', FORM_TYPE, '{"a":1}'],
  ['a form', 'a=1&b=2&b=3', FORM_TYPE, '{"a":"1","b":["2","3"]}'],
  ['text', 'Hello, World!', 'text/plain', '"Hello, World!"'],
  ['JSON that calls itself text', '[1]', 'text/plain; charset=utf-8', '[1]'],
  ['what only begins like JSON', '[1', '', '"[1"'],
  ['bytes', Buffer.from([0xff, 0]), 'image/png', '"/wA="'],
  ['nothing', '', JSON_TYPE, 'null'],
])('reads %s', (_what, body, contentType, data) => {
  const [event] = read('github', body, {}, contentType);
  expect(event!.data.toString()).toBe(data);
});

it('refuses what can never be read', () => {
  expect(() => read('github', '{')).toThrow(expect.objectContaining({ code: 'malformed_json' }));
  expect(() => read('github', '['.repeat(65))).toThrow(expect.objectContaining({ code: 'json_too_deep' }));
  expect(() => read('meta', '[]')).toThrow(GatewayError);
  expect(() => read('twilio', Array(1_001).fill({}))).toThrow(expect.objectContaining({ code: 'body_too_large' }));
});

it('cleans names and shortens keys', () => {
  const [event] = read('stripe', { type: 'a\u0000b', id: 'x'.repeat(1_000) });
  expect(event).toMatchObject({ eventType: 'a\ufffdb', dedupeKey: expect.stringMatching(/^#.{43}$/) });
  expect(dataOf([event!])).toMatchObject({ type: 'a\u0000b' });
});
