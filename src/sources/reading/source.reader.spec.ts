import type { IncomingEvent } from '../../core/hook-event';
import { readSourceRequest } from './source.reader';
import type { SourceTag } from './source-tag';

const TAG: SourceTag = { id: '1', accountId: 'a', application: 'shop', type: 'none' };

interface Sent {
  tag?: Partial<SourceTag>;
  headers?: Record<string, string>;
  contentType?: string;
  body?: string | Buffer;
}

function read({ tag = {}, headers, contentType = 'application/json', body = '{}' }: Sent = {}): IncomingEvent[] {
  const attributes = headers && { headers: JSON.stringify(headers) };
  const raw = { requestId: 'r', receivedAt: 0, contentType, body: Buffer.from(body), ...(attributes && { attributes }) };
  return readSourceRequest(raw, { ...TAG, ...tag });
}

const shown = (events: IncomingEvent[]) =>
  events.map(({ data, context, body, ...rest }) => ({
    ...rest,
    data: data.toString(),
    body: body?.toString('latin1'),
    context: context === undefined ? undefined : JSON.parse(context.toString()),
  }));

it('is one event of the source’s account and application, with the whole body', () => {
  expect(shown(read({ body: ' {"a" : 1} ' }))).toEqual([
    {
      accountId: 'a',
      application: 'shop',
      eventType: 'webhook',
      contentType: 'application/json',
      data: '{"a" : 1}',
      body: ' {"a" : 1} ',
      context: undefined,
    },
  ]);
});

it.each<[string, Sent, Partial<Record<'eventType' | 'dedupeKey', string>>]>([
  [
    'the preset’s type wins',
    { tag: { type: 'github', eventTypeFrom: 'body:a' }, headers: { 'x-github-event': 'push' } },
    { eventType: 'push' },
  ],
  ['eventTypeFrom where it has none', { tag: { type: 'github', eventTypeFrom: 'body:a' }, body: '{"a":"b"}' }, { eventType: 'b' }],
  ['a header as eventTypeFrom', { tag: { eventTypeFrom: 'header:X-A' }, headers: { 'x-a': 'b\tc' } }, { eventType: 'b\ufffdc' }],
  ['what is nowhere', { tag: { eventTypeFrom: 'header:X-A' } }, { eventType: 'webhook' }],
  [
    'the preset’s key wins',
    { tag: { type: 'github', dedupeFrom: 'body:a' }, headers: { 'x-github-delivery': '1' }, body: '{"a":"b"}' },
    { dedupeKey: '1' },
  ],
  ['dedupeFrom where it has none', { tag: { dedupeFrom: 'body:a.b' }, body: '{"a":{"b":5}}' }, { dedupeKey: '5' }],
  ['a header as dedupeFrom', { tag: { dedupeFrom: 'header:x-id' }, headers: { 'x-id': '7' } }, { dedupeKey: '7' }],
  ['a key too long for an index', { tag: { dedupeFrom: 'body:a' }, body: `{"a":"${'x'.repeat(201)}"}` }, { dedupeKey: '#' }],
])('%s', (_rule, sent, expected) => {
  const [event] = read(sent);
  if (expected.eventType !== undefined) expect(event?.eventType).toBe(expected.eventType);
  if (expected.dedupeKey !== undefined) expect(event?.dedupeKey?.slice(0, expected.dedupeKey.length)).toBe(expected.dedupeKey);
  expect(event?.dedupeKey?.length ?? 0).toBeLessThanOrEqual(200);
});

it('has no key where dedupeFrom finds nothing', () => {
  expect(read({ tag: { dedupeFrom: 'body:a' } })[0]).not.toHaveProperty('dedupeKey');
});

it.each<[string, Sent, object]>([
  ['broken JSON', { body: '{"a"' }, { data: '"{\\"a\\""', context: { unreadable: 'malformed_json' } }],
  [
    'what the preset cannot read, in no UTF-8',
    { tag: { type: 'meta' }, body: Buffer.from([0xff]) },
    { data: '"/w=="', context: { unreadable: 'malformed_json', encoding: 'base64' } },
  ],
  ['bytes', { contentType: 'image/png', body: Buffer.from([0xff]) }, { data: '"/w=="', context: { encoding: 'base64' } }],
  ['text', { contentType: 'text/plain', body: 'a\n' }, { data: '"a\\n"', context: undefined }],
  ['nothing', { contentType: '', body: '' }, { data: 'null', contentType: 'application/octet-stream' }],
])('keeps %s', (_what, sent, expected) => {
  expect(shown(read(sent))).toEqual([expect.objectContaining(expected)]);
});

it('cuts a request of several events, each with its own bytes', () => {
  const body =
    '[{"specversion":"1.0","id":"1","source":"s","type":"a"}, {"specversion":"1.0","id":"2","source":"s","type":"b","data":[ 1]}]';
  const events = shown(read({ tag: { type: 'cloudevents' }, contentType: 'application/cloudevents-batch+json', body }));
  expect(events.map(({ eventType, dedupeKey, data, body: own, contentType }) => [eventType, dedupeKey, data, own, contentType])).toEqual([
    ['a', '["s","1"]', 'null', 'null', 'application/json'],
    ['b', '["s","2"]', '[ 1]', '[ 1]', 'application/json'],
  ]);
});

it.each([{ tag: { type: 'carrier-pigeon' } }])('refuses what no door has written: %j', (sent) => {
  expect(() => read(sent)).toThrow(expect.objectContaining({ code: 'malformed_request' }));
});
