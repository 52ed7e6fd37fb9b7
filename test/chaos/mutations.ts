import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** Numbers from 0 to 1 that the seed alone decides, so that a run can be repeated (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Random = () => number;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const oneOf = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)] as T;

/** Pieces that have broken parsers before. */
const NASTY: readonly string[] = [
  '\u0000',
  '\\u0000',
  '\\ud800',
  '\u2028',
  '\r\n',
  '\r\nX-Injected: 1\r\n\r\n',
  '12345678901234567890',
  '-0',
  '1e999',
  '1E400',
  'null',
  '"__proto__":{"admin":1},',
  '"constructor":{"prototype":{"x":1}},',
  '[[[[[[[[[[',
  '{"a":'.repeat(70),
  '}]}]}]',
  '\ufeff',
  '\u202e',
  '"',
  '\\',
  ',,',
  '/*',
  "'; drop table events; --",
  '😀',
  'a'.repeat(5_000),
];
const BYTES: readonly Buffer[] = [
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xc3, 0x28]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0x80]),
];

const splice = (body: Buffer, at: number, remove: number, insert: Buffer): Buffer =>
  Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)]);

const MUTATIONS: readonly ((body: Buffer, random: Random) => Buffer)[] = [
  (body) => body,
  (body, random) => {
    const changed = Buffer.from(body);
    if (changed.length > 0) changed[below(random, changed.length)] = below(random, 256);
    return changed;
  },
  (body, random) => body.subarray(0, below(random, body.length + 1)),
  (body, random) => splice(body, below(random, body.length), below(random, 20), Buffer.alloc(0)),
  (body, random) => splice(body, below(random, body.length), 0, Buffer.from(oneOf(random, NASTY))),
  (body, random) => splice(body, below(random, body.length), 0, oneOf(random, BYTES)),
  // Inside a text, where it is likely to stay JSON.
  (body, random) => splice(body, body.lastIndexOf('"~') + 2, 0, Buffer.from(oneOf(random, NASTY))),
  (body, random) => splice(body, body.lastIndexOf('"~') + 2, 0, oneOf(random, BYTES)),
  (body, random) =>
    splice(body, body.indexOf('{') + 1, 0, Buffer.from(oneOf(random, ['"__proto__":{"entry":[]},', ' \n\t', '"a":1e2,"a":1.0,']))),
  (body, random) => {
    const from = below(random, body.length);
    return splice(body, below(random, body.length), 0, body.subarray(from, from + below(random, 200)));
  },
];

/** One to three mutations of the body. */
export function mutate(body: Buffer, random: Random): Buffer {
  let changed = body;
  for (let round = 1 + below(random, 3); round > 0; round--) changed = oneOf(random, MUTATIONS)(changed, random);
  return changed;
}

export interface MutatedHeaders {
  headers: Record<string, string | string[]>;
  body: Buffer;
}

const HEADERS: readonly ((request: MutatedHeaders, random: Random) => MutatedHeaders)[] = [
  ({ headers, body }) => ({ headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(body) }),
  ({ headers, body }) => ({ headers: { ...headers, 'content-encoding': 'gzip' }, body }),
  ({ headers, body }, random) => {
    const zipped = gzipSync(body);
    zipped[below(random, zipped.length)] = below(random, 256);
    return { headers: { ...headers, 'content-encoding': 'gzip' }, body: zipped };
  },
  ({ headers, body }, random) => ({
    headers: { ...headers, 'content-encoding': oneOf(random, ['br', 'gzip, gzip', 'identity', '', 'x'.repeat(999)]) },
    body,
  }),
  ({ headers, body }, random) => ({
    headers: {
      ...headers,
      'content-type': oneOf(random, ['text/plain', 'application/json; charset=utf-16', 'application/json;;;', '', 'a/b']),
    },
    body,
  }),
  ({ headers, body }) => ({ headers: { ...headers, 'x-hub-signature-256': ['sha256=00', 'sha256=11'] }, body }),
  ({ headers, body }, random) => ({ headers: { ...headers, 'x-hub-signature-256': 'sha256='.padEnd(below(random, 9_000), 'f') }, body }),
  ({ headers, body }, random) => ({
    headers: { ...headers, 'idempotency-key': oneOf(random, ['k'.repeat(300), '\u00e9', ' ', 'k']) },
    body,
  }),
  ({ headers, body }, random) => ({ headers: { ...headers, 'x-forwarded-for': oneOf(random, ['::ffff:1.2.3.4, x', '\u00ff']) }, body }),
];

/** One mutation of what stands around the body. */
export const mutateHeaders = (request: MutatedHeaders, random: Random): MutatedHeaders => oneOf(random, HEADERS)(request, random);

export const hashOf = (body: Buffer): string => createHash('sha256').update(body).digest('base64');
