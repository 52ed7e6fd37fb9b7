import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloudevents } from '../../../src/presets/cloudevents/cloudevents';
import { readCloudEvents } from '../../../src/presets/cloudevents/read-cloudevents';
import type { PresetEvent, PresetMessage } from '../../../src/presets/preset';
import { codeOf, signedRequest, verifierOf } from '../../support/signed-request';

const folder = join(__dirname, '../../fixtures/cloudevents');
const { cases } = JSON.parse(readFileSync(join(folder, 'vectors.json'), 'utf8')) as {
  cases: {
    id: string;
    headers: Record<string, string>;
    rawBodyBase64: string;
    valid: boolean;
    expected: Record<string, string | number>;
  }[];
};

const CE = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' };

const message = (body: Buffer | string, contentType: string, headers: Record<string, string> = {}): PresetMessage => ({
  body: Buffer.from(body),
  contentType,
  headers,
});
const read = (...from: Parameters<typeof message>): PresetEvent[] => readCloudEvents(message(...from));
const json = (buffer: Buffer | undefined): unknown => JSON.parse(buffer?.toString() ?? 'null');

const STRUCTURED = 'application/cloudevents+json; charset=UTF-8';
const BATCH = 'application/cloudevents-batch+json';
const event = (changed: object = {}): string => JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', ...changed });

it.each(cases)('vector $id', ({ headers, rawBodyBase64, valid, expected }) => {
  const work = (): PresetEvent[] => read(Buffer.from(rawBodyBase64, 'base64'), headers['content-type']!, headers);
  if (!valid) {
    expect(codeOf(work)).toBe('malformed_request');
    return;
  }
  const events = work();
  expect(events).toHaveLength((expected['count'] as number | undefined) ?? 1);
  if (expected['mode'] !== 'binary') return;
  expect(events[0]).toMatchObject({ eventType: expected['type'], dedupeKey: JSON.stringify([expected['source'], expected['id']]) });
});

it('reads a structured event, its data as it came', () => {
  const body = readFileSync(join(folder, 'payloads/cloudevents_structured.json'));
  const [found] = read(body, STRUCTURED.toUpperCase().replace('CHARSET', 'charset'));
  expect(found).toMatchObject({
    eventType: 'com.example.someevent',
    dedupeKey: '["/mycontext","A234-1234-1234"]',
    timestamp: '2018-04-05T17:31:00.000Z',
  });
  expect(body.includes(found!.data)).toBe(true);
  const { data, ...around } = JSON.parse(body.toString()) as Record<string, unknown>;
  expect(json(found!.data)).toEqual(data);
  expect(json(found!.context)).toEqual(around);
});

it('reads a batch, each with its own', () => {
  const events = read(readFileSync(join(folder, 'payloads/cloudevents_batch.json')), BATCH);
  expect(events.map(({ eventType, dedupeKey, data }) => [eventType, dedupeKey, data.toString()])).toEqual([
    ['com.example.someevent', '["/mycontext/4","B234-1234-1234"]', '{"n":1}'],
    ['com.example.someotherevent', '["/mycontext/9","C234-1234-1234"]', '"plain"'],
  ]);
});

it('leaves every byte of data as it came', () => {
  const data = '{ "n":12345678901234567890.10, "t": "\\u00e4\\/" }';
  expect(read(event().replace(/}$/, `, "data": ${data} }`), STRUCTURED)[0]!.data.toString()).toBe(data);
  expect(read(data, 'application/vnd.acme+json', CE)[0]!.data.toString()).toBe(data);
});

it('keeps data_base64 as it is, and says so', () => {
  const [found] = read(event({ data_base64: '/+8=' }), STRUCTURED);
  expect([found!.data.toString(), json(found!.context)]).toEqual(['"/+8="', expect.objectContaining({ encoding: 'base64' })]);
  const [bytes] = read(Buffer.from([0xff, 0xef]), 'image/png', CE);
  expect([bytes!.data.toString(), json(bytes!.context)]).toEqual([
    '"/+8="',
    { specversion: '1.0', id: '1', source: '/s', type: 't', datacontenttype: 'image/png', encoding: 'base64' },
  ]);
  expect(json(read('text', 'text/plain', CE)[0]!.data)).toBe('text');
  expect(read('', '', CE)[0]!.data.toString()).toBe('null');
  expect(read(event(), STRUCTURED)[0]!.data.toString()).toBe('null');
});

it.each([
  ['plain', 'plain'],
  ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
  ['%2541', '%41'],
  ['"in \\"quotes\\" %20"', 'in "quotes"  '],
  ['100% of', '100% of'],
  [Buffer.from('€').toString('latin1'), '€'],
])('the header value %s is %s', (value, text) => {
  expect(json(read('1', 'application/json', { ...CE, 'ce-subject': value })[0]!.context)).toMatchObject({ subject: text });
});

it.each([
  ['the same id of another source', { source: '/t' }, false],
  ['another id', { id: '2' }, false],
  ['parts that run into one another', { id: '"1' }, false],
  ['another type', { type: 'u' }, true],
])('the key of %s', (_what, changed, isSame) => {
  const key = (text: string): string | undefined => read(text, STRUCTURED)[0]!.dedupeKey;
  expect(key(event(changed)) === key(event())).toBe(isSame);
});

it.each([
  ['no id', event({ id: undefined }), STRUCTURED, 'malformed_request'],
  ['an empty source', event({ source: '' }), STRUCTURED, 'malformed_request'],
  ['a number for a type', event({ type: 1 }), STRUCTURED, 'malformed_request'],
  ['another version', event({ specversion: '0.3' }), STRUCTURED, 'malformed_request'],
  ['data twice', event({ data: 1, data_base64: 'AA==' }), STRUCTURED, 'malformed_request'],
  ['what is no base64', event({ data_base64: 'A' }), STRUCTURED, 'malformed_request'],
  ['a list', `[${event()}]`, STRUCTURED, 'malformed_request'],
  ['one event for a batch', event(), BATCH, 'malformed_request'],
  ['a batch of numbers', '[1]', BATCH, 'malformed_request'],
  ['a batch without end', `[${'1,'.repeat(1_000)}1]`, BATCH, 'body_too_large'],
  ['a deep batch', '['.repeat(65), BATCH, 'json_too_deep'],
  ['half a batch', '[{', BATCH, 'malformed_json'],
  ['XML', '<a/>', 'application/cloudevents+xml', 'unsupported_media_type'],
  ['Avro', 'x', 'application/cloudevents-batch+avro', 'unsupported_media_type'],
  ['no attributes', '{}', 'application/json', 'malformed_request'],
])('refuses %s', (_what, body, contentType, code) => {
  expect(codeOf(() => read(body, contentType))).toBe(code);
});

it.each(['%C0%A0', '%FF', Buffer.from([0xff]).toString('latin1')])('refuses the header value %s, no UTF-8', (value) => {
  expect(codeOf(() => read('1', 'application/json', { ...CE, 'ce-id': value }))).toBe('malformed_request');
});

describe('the token', () => {
  const verifier = verifierOf({ type: 'cloudevents', secrets: ['new', 'old'] });

  it.each([
    [{ headers: { authorization: 'Bearer new' } }, 'accepted'],
    [{ target: '/in/token?access_token=old' }, 'accepted'],
    [{ headers: { authorization: 'Bearer nex' } }, 'signature_invalid'],
    [{ target: '/in/token?access_token=' }, 'signature_invalid'],
    [{ target: '/in/token?access_token=old', headers: { authorization: 'Bearer new' } }, 'malformed_request'],
    [{}, 'signature_missing'],
  ])('case %#', (request, code) => {
    expect(codeOf(() => verifier.assertValid(signedRequest(request), 0))).toBe(code);
    expect(codeOf(() => verifierOf({ type: 'cloudevents' }).assertValid(signedRequest(request), 0))).toBe('accepted');
  });
});

describe('the handshake', () => {
  const ask = (headers: Record<string, string>): unknown => cloudevents.handshake?.answer(signedRequest({ headers }), { secrets: [] });

  it('allows the origin that asks', () => {
    expect(ask({ 'webhook-request-origin': 'events.example.com', 'webhook-request-rate': '120' })).toMatchObject({
      status: 200,
      headers: { 'webhook-allowed-origin': 'events.example.com', 'webhook-allowed-rate': '*', allow: 'POST' },
    });
    expect(ask({ origin: 'https://events.example.com' })).toBeUndefined();
    expect(codeOf(() => ask({ 'webhook-request-origin': 'a\r\nb' }))).toBe('malformed_request');
  });
});
