import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IncomingEvent } from '../../core/hook-event';
import { parseTwilio } from './twilio.parser';

const ACCOUNT = 'AC0123456789abcdef0123456789abcdef';
const payload = (name: string): Buffer => readFileSync(join(__dirname, '../../../test/fixtures/twilio/payloads', name));

const read = (body: Buffer | string, attributes: Record<string, string> = {}): IncomingEvent[] =>
  parseTwilio({ body: Buffer.from(body), contentType: 'application/json; charset=utf-8', attributes: { route: 'events', ...attributes } });

const one = (item: object, attributes: Record<string, string> = {}): IncomingEvent => read(JSON.stringify(item), attributes)[0]!;

const idsOf = ({ identity }: IncomingEvent): string[] => (identity === undefined ? [] : [identity.externalId, ...identity.fallbackIds!]);

it('gives one event for each CloudEvent of a list, its bytes untouched', () => {
  const events = read(payload('twilio_event_streams_several.json'));
  expect(events.map(({ eventType, dedupeKey, timestamp }) => [eventType, dedupeKey, timestamp])).toEqual([
    ['com.twilio.messaging.message.delivered', `event:/v1/Accounts/${ACCOUNT} EZ00000000000000000000000000002`, '2025-01-01T00:00:01.000Z'],
    [
      'com.twilio.voice.insights.call-summary.complete',
      `event:/v1/Accounts/${ACCOUNT} EZ00000000000000000000000000003`,
      '2025-01-01T00:00:02.000Z',
    ],
    ['com.twilio.messaging.message.delivered', `event:/v1/Accounts/${ACCOUNT} EZ00000000000000000000000000002`, '2025-01-01T00:00:01.000Z'],
  ]);
  expect(events[1]?.data.toString()).toContain('"bytes":12345678901234567890');
  expect(events.every(({ body, data, contentType }) => body === data && contentType === 'application/json')).toBe(true);
});

it('sends the whole request raw where it holds one event, and reads what stands alone', () => {
  const body = payload('twilio_event_streams_batch.json');
  const [event] = read(body);
  expect(event?.body.equals(body)).toBe(true);
  expect(event?.contentType).toBe('application/json; charset=utf-8');
  expect(event?.data.equals(body.subarray(1, -1))).toBe(true);
  expect(one({ id: 'EZ1', type: 'a.b' })).toMatchObject({ eventType: 'a.b', dedupeKey: 'event: EZ1' });
});

it('goes by an event’s id rather than by the token of its request, which others share', () => {
  const keys = read('[{"id":"1"},{"type":"a"},{"id":""},{"id":2},"x"]', { token: 't' }).map(({ dedupeKey }) => dedupeKey);
  expect(keys).toEqual(['event: 1', 'event:token:t#1', 'event:token:t#2', 'event:token:t#3', 'event:token:t#4']);
  expect(one({ type: 'a' }).dedupeKey).toBeUndefined();
});

it.each<[object, string[]]>([
  [{ type: 'com.twilio.messaging.inbound-message.received', data: { from: '+1', to: '+2', accountSid: ACCOUNT } }, ['+2', ACCOUNT]],
  [{ type: 'com.twilio.messaging.message.failed', data: { from: '+1', to: '+2', accountSid: ACCOUNT } }, ['+1', ACCOUNT]],
  [{ type: 'com.twilio.studio.flow.step.ended', data: { from: '+1', account_sid: ACCOUNT } }, [ACCOUNT]],
  [{ type: 'com.twilio.conversations.message.added', data: { AccountSid: ACCOUNT } }, [ACCOUNT]],
  [{ type: 'a', source: `/2010-04-01/Accounts/${ACCOUNT}/Messages/SM1` }, [ACCOUNT]],
  [{ type: 'a', source: 'urn:a', data: 'text' }, []],
])('%j belongs to %j', (item, ids) => {
  expect(idsOf(one(item))).toEqual(ids);
});

it('belongs to the account whose own token signed and to no other, whatever it says', () => {
  const item = { type: 'com.twilio.messaging.inbound-message.received', data: { to: '+2', accountSid: ACCOUNT } };
  expect(idsOf(one(item, { signer: 'AC9' }))).toEqual(['AC9']);
});

it('says what was said, where it is a message that came in', () => {
  expect(read(payload('twilio_event_streams_batch.json'))[0]?.statement?.()).toEqual({
    threadId: 'twilio:+12345678901:+11234567890',
    author: '+11234567890',
    isOwn: false,
    text: 'Ahoy!',
    attachments: [],
  });
  expect(one({ type: 'com.twilio.messaging.message.sent', data: { from: '+1', to: '+2', body: 'a' } }).statement?.()).toBeUndefined();
  expect(one({ type: 'com.twilio.messaging.inbound-message.received', data: {} }).statement?.()).toBeUndefined();
});

it('gives an event of any other JSON too, and none of an empty list', () => {
  expect(read('[{"a":1},[]]').map(({ eventType, data }) => [eventType, data.toString()])).toEqual([
    ['event', '{"a":1}'],
    ['event', '[]'],
  ]);
  expect(read('[]')).toEqual([]);
});
