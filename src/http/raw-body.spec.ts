import { gzipSync } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import { GatewayError } from '../core/errors';
import { installRawBody, isKnownEncoding } from './raw-body';

const MAX_BYTES = 1_000;

let server: FastifyInstance;

beforeAll(() => {
  server = fastify();
  installRawBody(server, MAX_BYTES);
  server.setErrorHandler((error, _request, reply) => {
    void reply.status(400).send({ code: error instanceof GatewayError ? error.code : 'not ours' });
  });
  server.post('/', (request) => ({ hex: (request.body as Buffer).toString('hex') }));
});

afterAll(() => server.close());

async function send(payload: Buffer, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await server.inject({ method: 'POST', url: '/', payload, headers });
  return response.json();
}

const gzip = { 'content-encoding': 'gzip' };

it.each([
  ['no type', {}],
  ['JSON', { 'content-type': 'application/json' }],
  ['a type nobody knows', { 'content-type': 'x/y; z=1' }],
  ['text', { 'content-type': 'text/plain' }],
])('a body of %s is its bytes', async (_title, headers) => {
  const bytes = Buffer.from([0, 255, 13, 10, 123]);
  expect(await send(bytes, headers)).toEqual({ hex: bytes.toString('hex') });
});

it.each([
  ['plain, at the limit', Buffer.alloc(MAX_BYTES), {}, { hex: '00'.repeat(MAX_BYTES) }],
  ['plain, over the limit', Buffer.alloc(MAX_BYTES + 1), {}, { code: 'body_too_large' }],
  ['gzip, at the limit once inflated', gzipSync(Buffer.alloc(MAX_BYTES)), gzip, { hex: '00'.repeat(MAX_BYTES) }],
  ['gzip, over the limit once inflated', gzipSync(Buffer.alloc(MAX_BYTES + 1)), gzip, { code: 'body_too_large' }],
  ['gzip that is cut', gzipSync('abc').subarray(0, -5), gzip, { code: 'malformed_request' }],
  ['no gzip', Buffer.from('abc'), gzip, { code: 'malformed_request' }],
  ['gzip in capitals', gzipSync('a'), { 'content-encoding': ' GZIP ' }, { hex: '61' }],
  ['identity', Buffer.from('a'), { 'content-encoding': 'identity' }, { hex: '61' }],
])('%s', async (_title, body, headers, answer) => {
  expect(await send(body, headers)).toEqual(answer);
});

it.each([
  [undefined, true],
  ['', true],
  ['gzip', true],
  ['GZip', true],
  ['identity', true],
  ['gzip, gzip', false],
  ['gzip,', false],
  ['br', false],
])('content-encoding %s is known: %s', (encoding, known) => {
  expect(isKnownEncoding(encoding)).toBe(known);
});
