import { gzipSync } from 'node:zlib';
import type { Storage } from '../../src/storage/storage';
import { ENGINES, type Place } from '../conformance/storage/engines';
import { Proxy, Target, event, jsonPost, raw } from './affinity-rig';

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

let place: Place;
let storage: Storage;
let target: Target;
let proxy: Proxy;

beforeAll(async () => {
  const engine = ENGINES.find(({ engine }) => engine === 'sqlite')!;
  place = await engine.place();
  storage = await place.open();
});
afterAll(async () => {
  await storage.close();
  await place.release();
});
beforeEach(async () => {
  target = await Target.start();
  proxy = await Proxy.start(storage, target.url);
});
afterEach(async () => {
  await proxy.stop();
  await target.stop();
});

const statusOf = (answer: string): number => Number(answer.split(' ', 2)[1]);
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const headOf = (answer: string): string => answer.slice(0, answer.indexOf('\r\n\r\n'));

describe('what reaches the target', () => {
  it.each([
    ['/a/../b/%2e%2e/./c//d?x=%zz&y=1&&z#f', '/a/../b/%2e%2e/./c//d?x=%zz&y=1&&z#f'],
    ['//other.example/path', '//other.example/path'],
    ['/a?"<>{}|\\^`', '/a?"<>{}|\\^`'],
    ['/?', '/?'],
    ['http://elsewhere.example/x?y', '/x?y'],
    ['http://elsewhere.example?y', '/?y'],
  ])('has the path and query %s as they came', async (sent, received) => {
    expect(statusOf(await raw(proxy.port, jsonPost('{}', [], sent)))).toBe(200);
    expect(target.last.url).toBe(received);
  });

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH', 'TRACE'])('has the method %s', async (method) => {
    expect(statusOf(await raw(proxy.port, `${method} /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`))).toBe(200);
    expect(target.last).toMatchObject({ method, url: '/x', body: Buffer.alloc(0) });
  });

  it.each(['POST', 'PUT', 'GET', 'DELETE', 'OPTIONS'])('has the body of a %s byte for byte', async (method) => {
    const head = `${method} / HTTP/1.1\r\nHost: h\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n`;
    expect(statusOf(await raw(proxy.port, `${head}Content-Length: 256\r\n\r\n`, ALL_BYTES))).toBe(200);
    expect(target.last.body).toEqual(ALL_BYTES);
    const chunks = [Buffer.from('100\r\n'), ALL_BYTES, Buffer.from('\r\n2\r\nok\r\n0\r\n\r\n')];
    expect(statusOf(await raw(proxy.port, `${head}Transfer-Encoding: chunked\r\n\r\n`, ...chunks))).toBe(200);
    expect(target.last.body).toEqual(Buffer.concat([ALL_BYTES, Buffer.from('ok')]));
  });

  it('has JSON byte for byte, with its type', async () => {
    const body = ' {"actorId" :\t"A", "n": 1.0e+2, "e": "\\u00e9\xff"}\r\n';
    await raw(proxy.port, jsonPost(body));
    expect(target.last.body.toString('latin1')).toBe(body);
    expect(target.last.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': String(body.length) });
    const chunked = `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    await raw(proxy.port, `${chunked}5\r\n{"act\r\n`, 'b\r\norId": "B"}\r\n0\r\n\r\n');
    expect(target.last.body.toString()).toBe('{"actorId": "B"}');
    expect(target.last.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', actorid: 'B' });
  });

  it('has a compressed body as it came, and no actor', async () => {
    const body = gzipSync(event('A')).toString('latin1');
    await raw(proxy.port, jsonPost(body, ['Content-Encoding: gzip']));
    expect(target.last.body.toString('latin1')).toBe(body);
    expect(target.last.headers).toMatchObject({ 'content-encoding': 'gzip' });
    expect(target.last.headers).not.toHaveProperty('actorid');
  });

  it('has the Host of the target, and is told of the client', async () => {
    await raw(proxy.port, jsonPost('{}'));
    expect(target.last.headers).toMatchObject({
      host: new URL(target.url).host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'proxy.example',
    });
    await raw(proxy.port, jsonPost('{}', ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: bot.example']));
    expect(target.last.headers).toMatchObject({
      'x-forwarded-for': '192.0.2.7, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'bot.example',
    });
  });

  it('has no header of the connection, nor what Connection names', async () => {
    const sent = [
      'Connection: X-Hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Authorization: Basic x',
      'TE: trailers',
      'Expect: 100-continue',
      'X-Spark-Signature: kept',
    ];
    const answer = await raw(proxy.port, jsonPost('{}', sent));
    expect(answer).toContain('HTTP/1.1 200');
    expect(Object.keys(target.last.headers)).toEqual(expect.arrayContaining(['x-spark-signature', 'content-type']));
    for (const name of ['x-hop', 'keep-alive', 'proxy-authorization', 'te', 'expect']) expect(target.last.headers).not.toHaveProperty(name);
  });

  it('has other bytes of headers as they came', async () => {
    await raw(proxy.port, jsonPost('{}', ['X-Name: caf\u00e9 \xff']));
    expect(target.last.headers['x-name']).toBe('caf\u00e9 \xff');
  });
});

describe('the header of the actor', () => {
  it('is that of the JSON, never the client’s', async () => {
    await raw(proxy.port, jsonPost(event('Y2lz/Y29=='), ['ActorId: forged', 'actorid: forged']));
    expect(target.last.rawHeaders.filter((each) => /actorid/i.test(each))).toHaveLength(1);
    expect(target.last.headers.actorid).toBe('Y2lz/Y29==');
    for (const [method, body] of [
      ['POST', '{}'],
      ['PUT', event('A')],
      ['GET', ''],
    ] as const) {
      await raw(proxy.port, jsonPost(body, ['ActorId: forged']).replace('POST', method));
      expect(target.last.method).toBe(method);
      expect(target.last.headers).not.toHaveProperty('actorid');
    }
  });

  it.each([
    ['a line feed', { actorId: 'A\r\nX-Forged: 1' }],
    ['letters that no header may hold', { actorId: 'Ł' }],
    ['nothing', { actorId: '' }],
    ['a space at its end', { actorId: 'A ' }],
    ['513 characters', { actorId: 'A'.repeat(513) }],
    ['a number', { actorId: 7 }],
    ['an inherited name', { actorId: { toString: 'A' } }],
    ['no actor', { actor: 'A' }],
    ['a list', ['A']],
    ['null', null],
  ])('is not added for %s', async (_what, body) => {
    const text = Buffer.from(JSON.stringify(body)).toString('latin1');
    expect(statusOf(await raw(proxy.port, jsonPost(text)))).toBe(200);
    expect(target.last.body.toString('latin1')).toBe(text);
    expect(target.last.headers).not.toHaveProperty('actorid');
    expect(target.last.headers).not.toHaveProperty('x-forged');
  });

  it('is not added for what is no JSON, or another type', async () => {
    await raw(proxy.port, jsonPost('{"actorId": "A"'));
    expect(target.last.headers).not.toHaveProperty('actorid');
    await raw(proxy.port, jsonPost(event('A')).replace('application/json', 'text/plain'));
    expect(target.last.headers).not.toHaveProperty('actorid');
  });

  it('has the name and the place that are set', async () => {
    const other = await Proxy.start(storage, target.url, { AFFINITY_HEADER_NAME: 'X-Person', AFFINITY_ACTOR_PATH: 'data.personId' });
    await raw(other.port, jsonPost('{"actorId": "A", "data": {"personId": "B"}}', ['X-Person: forged', 'ActorId: kept']));
    expect(target.last.headers).toMatchObject({ 'x-person': 'B', actorid: 'kept' });
    await other.stop();
  });
});

describe('what the client gets', () => {
  it('is the target’s status, headers and body', async () => {
    target.answer = (_request, response) => {
      response.writeHead(
        207,
        [
          ['Content-Type', 'application/vnd.x'],
          ['Set-Cookie', 'a=1; Path=/'],
          ['Set-Cookie', 'b=2'],
          ['X-Twice', 'one'],
          ['X-Twice', 'two'],
          ['X-Bytes', 'caf\u00e9 \xff'],
          ['Content-Encoding', 'gzip'],
          ['Connection', 'X-Hop'],
          ['X-Hop', '1'],
          ['Keep-Alive', 'timeout=9'],
          ['ETag', '"e"'],
        ].flat(),
      );
      response.end(gzipSync('compressed'));
    };
    const answer = await raw(proxy.port, jsonPost('{}'));
    const lines = headOf(answer)
      .split('\r\n')
      .map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()));
    expect(statusOf(answer)).toBe(207);
    expect(lines).toEqual(expect.arrayContaining(['content-type: application/vnd.x', 'set-cookie: a=1; Path=/', 'set-cookie: b=2', 'x-twice: one', 'x-twice: two', 'x-bytes: caf\u00e9 \xff', 'content-encoding: gzip', 'etag: "e"'])); // prettier-ignore
    expect(lines.join()).not.toMatch(/x-hop|timeout=9|x-request-id/);
    expect(bodyOf(answer)).toContain(gzipSync('compressed').toString('latin1'));
  });

  it.each([204, 304])('is a %i without a body', async (status) => {
    target.answer = (_request, response) => response.writeHead(status, { etag: '"e"' }).end();
    const answer = await raw(proxy.port, jsonPost('{}'));
    expect([statusOf(answer), bodyOf(answer)]).toEqual([status, '']);
    expect(headOf(answer)).toContain('etag: "e"');
  });

  it('is the length alone for HEAD', async () => {
    target.answer = (_request, response) => response.writeHead(200, { 'content-length': '1234' }).end();
    const answer = await raw(proxy.port, 'HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(headOf(answer)).toContain('content-length: 1234');
    expect(bodyOf(answer)).toBe('');
  });

  it('is a 503 once, however often the library would ask again', async () => {
    target.answer = (_request, response) => response.writeHead(503, { 'retry-after': '1' }).end('busy');
    expect(await raw(proxy.port, 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')).toContain('busy');
    expect(target.seen).toHaveLength(1);
  });

  it('is a redirect that nobody followed', async () => {
    target.answer = (_request, response) => response.writeHead(302, { location: '/else' }).end();
    expect(headOf(await raw(proxy.port, jsonPost('{}')))).toContain('location: /else');
    expect(target.seen).toHaveLength(1);
  });
});
