import { createRequire } from 'node:module';
import type { OutgoingMessage } from '../broker';
import { encodePublish } from './publish-frames';

interface Frame {
  type: number;
  channel: number;
  size: number;
  payload: Buffer;
  rest: Buffer;
}

/** The library's own reader, which its types leave out. */
interface LibraryFrames {
  parseFrame: (bytes: Buffer) => Frame | false;
  decodeFrame: (frame: Frame) => { fields?: object; size?: number };
}

const { parseFrame, decodeFrame } = createRequire(__filename)('amqplib/lib/frame') as LibraryFrames;

const FRAME_MAX = 4_096;

const message = (fields: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  exchange: 'webhooks',
  routingKey: 'webhooks.facebook.default',
  id: 'an-id',
  headers: { 'x-a': 'text' },
  body: Buffer.from('{}'),
  ...fields,
});

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const frame = parseFrame(rest);
    if (frame === false) throw new Error(`${rest.length} bytes are no whole frame`);
    frames.push(frame);
    rest = frame.rest;
  }
  return frames;
}

it.each<[string, Partial<OutgoingMessage>]>([
  ['a small message', {}],
  ['a content type', { contentType: 'application/json; charset=utf-8' }],
  ['no body', { body: Buffer.alloc(0) }],
  ['no headers', { headers: {} }],
  ['no exchange', { exchange: '' }],
  ['text of every length in UTF-8', { id: 'é€😀', headers: { 'ä-1': 'é€😀\0"\n', empty: '' }, routingKey: 'ключ' }],
  [
    'names as long as can be',
    { id: 'i'.repeat(255), exchange: 'e'.repeat(255), routingKey: 'é'.repeat(127), headers: { ['n'.repeat(255)]: 'x' } },
  ],
])('the library reads %s as it was', (_title, fields) => {
  const sent = message(fields);
  const [method, header, ...bodies] = framesOf(encodePublish(7, sent, FRAME_MAX));

  expect(decodeFrame(method!).fields).toMatchObject({
    exchange: sent.exchange,
    routingKey: sent.routingKey,
    mandatory: true,
    immediate: false,
  });
  const properties = decodeFrame(header!);
  expect(properties.size).toBe(sent.body.length);
  expect(properties.fields).toMatchObject({ headers: sent.headers, deliveryMode: 2, messageId: sent.id, contentType: sent.contentType });
  expect(Buffer.concat(bodies.map(({ payload }) => payload))).toEqual(sent.body);
  expect([method, header, ...bodies].map((frame) => frame!.channel)).toEqual([7, 7, ...bodies.map(() => 7)]);
});

it.each([
  [FRAME_MAX - 8, [FRAME_MAX - 8]],
  [FRAME_MAX - 7, [FRAME_MAX - 8, 1]],
  [3 * (FRAME_MAX - 8), [FRAME_MAX - 8, FRAME_MAX - 8, FRAME_MAX - 8]],
])('a body of %i bytes goes in frames that the broker takes', (length, sizes) => {
  const body = Buffer.from(Array.from({ length }, (_, index) => index % 251));
  const [, , ...bodies] = framesOf(encodePublish(1, message({ body }), FRAME_MAX));

  expect(bodies.map(({ type, size }) => [type, size])).toEqual(sizes.map((size) => [3, size]));
  expect(Buffer.concat(bodies.map(({ payload }) => payload))).toEqual(body);
});

it.each<[string, Partial<OutgoingMessage>]>([
  ['id', { id: 'é'.repeat(128) }],
  ['exchange', { exchange: 'x'.repeat(256) }],
  ['routing key', { routingKey: 'x'.repeat(256) }],
  ['header’s name', { headers: { ['x'.repeat(256)]: '' } }],
])('refuses a long %s before anything is sent', (what, fields) => {
  expect(() => encodePublish(1, message(fields), FRAME_MAX)).toThrow(`Its ${what} is longer than 255 bytes.`);
});

it('refuses headers that do not fit in a frame', () => {
  const room = FRAME_MAX - framesOf(encodePublish(1, message(), FRAME_MAX))[1]!.size - 8;
  const fitting = message({ headers: { 'x-a': 'text'.padEnd(4 + room) } });

  expect(framesOf(encodePublish(1, fitting, FRAME_MAX))[1]!.size).toBe(FRAME_MAX - 8);
  expect(() => encodePublish(1, message({ headers: { 'x-a': 'text'.padEnd(5 + room) } }), FRAME_MAX)).toThrow('do not fit in a frame');
});
