import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Storage } from '../../src/storage/storage';
import { ENGINES, type Place } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { Proxy, Target, event, jsonPost, openSocket, raw } from './affinity-rig';

const SECRET = 'the-secret-of-the-webhook';

let place: Place;
let storage: Storage;
let target: Target;
let proxy: Proxy;

const start = async (env: Record<string, string> = {}): Promise<void> => {
  proxy = await Proxy.start(storage, target.url, env);
};
const refusal = (answer: string): [number, unknown] => [
  Number(answer.split(' ', 2)[1]),
  JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)),
];
const refused = (status: number, error: string): [number, unknown] => [
  status,
  { status, error, description: expect.any(String) as string },
];

beforeAll(async () => {
  place = await ENGINES[0]!.place();
  storage = await place.open();
  target = await Target.start();
});
afterAll(async () => {
  await target.stop();
  await storage.close();
  await place.release();
});
beforeEach(() => {
  target.seen.length = 0;
  target.handle = undefined;
});
afterEach(() => proxy.stop());

it('an empty POST is a 400, with a length of 0, with no body and with an empty chunked one', async () => {
  await start();
  const chunked = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n';
  expect(refusal(await raw(proxy.port, jsonPost('')))).toEqual(refused(400, 'malformed_request'));
  expect(refusal(await raw(proxy.port, 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'))).toEqual(
    refused(400, 'malformed_request'),
  );
  expect(refusal(await raw(proxy.port, `${chunked}\r\n0\r\n\r\n`))).toEqual(refused(400, 'malformed_request'));
  expect(refusal(await raw(proxy.port, `${chunked}Content-Type: text/plain\r\n\r\n0\r\n\r\n`))).toEqual(refused(400, 'malformed_request'));
  expect(target.seen).toEqual([]);
});

it('a target that refuses is a 502', async () => {
  const gone = await Target.start();
  proxy = await Proxy.start(storage, gone.url);
  await gone.stop();
  expect(refusal(await raw(proxy.port, jsonPost('{}')))).toEqual(refused(502, 'target_unreachable'));
  expect(await proxy.outcomes()).toEqual({ unreachable: 1 });
});

it('a target that does not answer in time is a 504', async () => {
  await start({ AFFINITY_TIMEOUT_MS: '100' });
  target.handle = () => undefined;
  expect(refusal(await raw(proxy.port, jsonPost('{}')))).toEqual(refused(504, 'target_timeout'));
});

it('a target that hangs up is a 502, and later the cut of a body is seen as one', async () => {
  await start();
  target.handle = (request) => request.socket.destroy();
  expect(refusal(await raw(proxy.port, jsonPost('{}')))).toEqual(refused(502, 'target_unreachable'));
  target.handle = (request, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('half', () => request.socket.destroy());
  };
  const answer = await raw(proxy.port, jsonPost('{}'));
  expect(answer).toContain('content-length: 10');
  expect(answer.endsWith('half')).toBe(true);
});

it('a client that leaves takes its request to the target with it', async () => {
  await start();
  const left = new Promise<void>((resolve) => {
    target.handle = (_request, response) => response.once('close', resolve);
  });
  const arrived = once(target.server, 'request');
  const socket = await openSocket(proxy.port);
  socket.write(jsonPost(event('A')));
  await arrived;
  socket.destroy();
  await left;
  await eventually('it is counted', async () => (await proxy.outcomes()).gone === 1);
});

it('with a secret every POST must be signed over its bytes', async () => {
  await start({ AFFINITY_SECRET: `old,${SECRET}`, HTTP_MAX_BODY_BYTES: '2048' });
  const body = ` ${event('A')}`;
  const signed = (key: string, text = body): string => `X-Spark-Signature: ${createHmac('sha1', key).update(text).digest('hex')}`;
  expect(refusal(await raw(proxy.port, jsonPost(body)))).toEqual(refused(401, 'signature_missing'));
  expect(refusal(await raw(proxy.port, jsonPost(body, [signed('other')])))).toEqual(refused(401, 'signature_invalid'));
  expect(refusal(await raw(proxy.port, jsonPost('')))).toEqual(refused(401, 'signature_missing'));
  expect(refusal(await raw(proxy.port, jsonPost(body).replace('application/json', 'text/plain')))).toEqual(
    refused(401, 'signature_missing'),
  );
  const large = 'x'.repeat(4_096);
  expect(refusal(await raw(proxy.port, jsonPost(large, [signed(SECRET, large)])))).toEqual(refused(413, 'body_too_large'));
  expect(target.seen).toEqual([]);
  expect(await raw(proxy.port, jsonPost(body, [signed(SECRET)]))).toContain('HTTP/1.1 200');
  expect(target.last.body.toString()).toBe(body);
});

it('JSON beyond the limit streams through without an actor', async () => {
  await start({ HTTP_MAX_BODY_BYTES: '2048' });
  const body = JSON.stringify({ actorId: 'A', filler: 'x'.repeat(200_000) });
  await raw(proxy.port, jsonPost(body));
  expect(target.last.body.toString()).toBe(body);
  expect(target.last.headers).not.toHaveProperty('actorid');
  const head = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
  await raw(proxy.port, head, `${body.length.toString(16)}\r\n${body}\r\n`, '0\r\n\r\n');
  expect(target.last.body.toString()).toBe(body);
  expect(target.last.headers).not.toHaveProperty('actorid');
});

it('the end waits for the answer under way', async () => {
  await start();
  const held = new Promise<() => void>((resolve) => {
    target.handle = (_request, response) => resolve(() => response.end('late'));
  });
  const answer = raw(proxy.port, jsonPost('{}'));
  const release = await held;
  const stopped = proxy.stop();
  release();
  expect(await answer).toContain('late');
  await stopped;
});
