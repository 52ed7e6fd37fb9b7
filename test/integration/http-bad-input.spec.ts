import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { ERRORS, type ErrorCode } from '../../src/core/errors';
import { Storage } from '../../src/storage/storage';
import { eventually } from '../support/eventually';
import { type ShellApp, startShellApp } from './shell-app';

const MAX_BODY_BYTES = 3 * 1_048_576;

let shell: ShellApp;

beforeAll(async () => {
  shell = await startShellApp();
});

afterAll(() => shell.close());

beforeEach(() => {
  Object.assign(shell.door, { enabled: true, configured: true });
});

const post = (path: string, headers: Record<string, string> = {}): request.Test =>
  request(shell.url)
    .post(path)
    .set({ 'content-type': 'application/json', ...headers });

const send = (path: string, body: Buffer | string, headers: Record<string, string> = {}): request.Test =>
  post(path, headers)
    .serialize((bytes: unknown) => bytes as string)
    .send(body);

function expectProblem(response: request.Response, code: ErrorCode): void {
  expect(response.status).toBe(ERRORS[code].status);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.body).toEqual(
    expect.objectContaining({
      type: `urn:hookline:error:${code}`,
      title: ERRORS[code].title,
      status: ERRORS[code].status,
      code,
      detail: expect.any(String),
      requestId: response.headers['x-request-id'],
    }),
  );
  expect(response.text).not.toMatch(/node_modules|\bat .*\.[jt]s/);
}

describe('bodies', () => {
  it('arrive byte for byte', async () => {
    const body = Buffer.from([0x7b, 0x00, 0xff, 0x0d, 0x0a, 0x7d]);
    const response = await send('/door', body);
    expect(response.body).toEqual({ length: 6, hex: body.toString('hex') });
  });

  it('are inflated when they are gzip', async () => {
    const response = await send('/door', gzipSync('{"a":1}'), { 'content-encoding': 'gzip' });
    expect(response.body).toEqual({ length: 7, hex: Buffer.from('{"a":1}').toString('hex') });
  });

  it('may have the largest size', async () => {
    const response = await send('/door', Buffer.alloc(MAX_BODY_BYTES, 0x20));
    expect(response.body).toMatchObject({ length: MAX_BODY_BYTES });
  });

  it('may be absent, and then need no content type', async () => {
    const response = await request(shell.url).post('/door');
    expect(response.body).toEqual({ length: 0, hex: '' });
  });

  it('over the largest size are refused by their declared length', async () => {
    expectProblem(await send('/door', Buffer.alloc(MAX_BODY_BYTES + 1, 0x20)), 'body_too_large');
  });

  it('over the largest size are refused when their length is not declared', async () => {
    const answer = await raw([
      'POST /door HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n',
      ...Array.from({ length: 60 }, () => `10000\r\n${' '.repeat(0x10000)}\r\n`),
      '0\r\n\r\n',
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('"code":"body_too_large"');
  });

  it('that inflate past the largest size are refused without being inflated further', async () => {
    const member = gzipSync(Buffer.alloc(100 * 1_048_576));
    const bomb = Buffer.concat(Array.from({ length: 28 }, () => member));
    expect(bomb.length).toBeLessThan(MAX_BODY_BYTES);
    const before = process.memoryUsage.rss();
    expectProblem(await send('/door', bomb, { 'content-encoding': 'gzip' }), 'body_too_large');
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1_048_576);
  });

  it('that are no gzip although they say so are malformed', async () => {
    expectProblem(await send('/door', 'plain', { 'content-encoding': 'gzip' }), 'malformed_request');
  });

  it.each(['br', 'gzip, gzip', 'deflate', 'zstd', 'gzip, identity', 'x'])('with content-encoding %s are refused', async (encoding) => {
    expectProblem(await send('/door', gzipSync('{}'), { 'content-encoding': encoding }), 'unsupported_encoding');
  });

  it('with two content-encoding headers are refused', async () => {
    const answer = await raw([
      'POST /door HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-encoding: gzip\r\n' +
        'content-length: 2\r\nconnection: close\r\n\r\n{}',
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 415 /);
    expect(answer).toContain('"code":"unsupported_encoding"');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'nonsense', 'multipart/form-data; boundary=x'])(
    'of type %s are refused',
    async (type) => {
      expectProblem(await send('/door', '{}', { 'content-type': type }), 'unsupported_media_type');
    },
  );

  it('without a type are refused', async () => {
    const answer = await raw(['POST /door HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}']);
    expect(answer).toMatch(/^HTTP\/1.1 415 /);
  });

  it('of a type with parameters and capitals are taken', async () => {
    expect((await send('/door', '{}', { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200);
  });
});

describe('JSON', () => {
  it.each([
    ['nothing', ''],
    ['half a value', '{"size":'],
    ['two values', '{} {}'],
    ['another language', '<xml/>'],
    ['text that is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('with %s is malformed', async (_title, body) => {
    expectProblem(await send('/things', body), 'malformed_json');
  });

  it.each([65, 1_000_000])('%i levels deep is refused and harms nobody', async (levels) => {
    const body = `{"size":1,"free":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expectProblem(await send('/things', body), 'json_too_deep');
    expect((await send('/things', '{"size":1}')).status).toBe(201);
  });

  it('a million brackets deep that never close is refused', async () => {
    expectProblem(await send('/things', '['.repeat(1_000_000)), 'json_too_deep');
  });

  it.each([
    '{"size":1,"__proto__":{"admin":1}}',
    '{"size":1,"constructor":{"prototype":{"admin":1}}}',
    '{"size":1,"free":{"__proto__":{"admin":1}}}',
  ])('with %s pollutes nothing', async (body) => {
    const response = await send('/things', body);
    expect([201, 422]).toContain(response.status);
    expect(response.body.polluted ?? false).toBe(false);
    expect('admin' in {}).toBe(false);
    expect((await send('/anything', body)).body.polluted).toBe(false);
  });

  it('that breaks a rule names each field', async () => {
    const response = await send('/things', '{"size":"x","parts":[{"name":"a"},{"name":1}],"extra":1}');
    expectProblem(response, 'validation_failed');
    expect(response.body.problems).toEqual(
      expect.arrayContaining([
        { path: 'size', message: 'must be an integer number' },
        { path: 'parts[1].name', message: 'must be a string' },
        { path: 'extra', message: 'is not a known field' },
      ]),
    );
  });

  it.each(['[]', 'null', '1', '"x"'])('that is %s where an object belongs is invalid', async (body) => {
    expectProblem(await send('/things', body), 'validation_failed');
  });

  it('becomes an instance of the class', async () => {
    expect((await send('/things', '{"size":3}')).body).toEqual({ size: 3, type: 'Thing', polluted: false });
  });
});

describe('refusals', () => {
  it('come in the order 404, 413, 415, 503', async () => {
    const headers = { 'content-type': 'text/plain', 'content-encoding': 'br' };
    const large = Buffer.alloc(MAX_BODY_BYTES + 1, 0x20);
    Object.assign(shell.door, { enabled: false, configured: false });
    expectProblem(await send('/door', large, headers), 'not_found');
    shell.door.enabled = true;
    expectProblem(await send('/door', large, headers), 'body_too_large');
    expectProblem(await send('/door', '{}', headers), 'unsupported_media_type');
    const response = await send('/door', '{}');
    expectProblem(response, 'channel_not_configured');
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    shell.door.configured = true;
    expect((await send('/door', '{}')).status).toBe(200);
  });

  it('are listed and counted with their reason and without secrets', async () => {
    const response = await send('/door?hub.verify_token=hush', '"wrong signature"', {
      'x-hub-signature-256': 'sha256=hush',
      authorization: 'Bearer hush',
      'x-plain': 'kept',
    });
    expectProblem(response, 'signature_invalid');
    const row = await eventually('it is listed', async () =>
      shell.app
        .get(Storage, { strict: false })
        .db.selectFrom('requests')
        .selectAll()
        .where('request_id', '=', response.headers['x-request-id'] as string)
        .executeTakeFirst(),
    );
    expect(row).toMatchObject({ source: 'test', status: 401, code: 'signature_invalid', method: 'POST', path: '/door', body_bytes: 17 });
    expect(Buffer.from(row.body as Uint8Array).toString()).toBe('"wrong signature"');
    expect(JSON.stringify({ ...row, body: null })).not.toContain('hush');
    expect(JSON.parse(row.headers)).toMatchObject({ 'x-plain': 'kept', authorization: '***', 'x-hub-signature-256': '***' });
  });

  it('that are our fault say when to try again', async () => {
    const response = await send('/door', '"away"');
    expectProblem(response, 'broker_unavailable');
    expect(response.headers['retry-after']).toBe('5');
  });

  it.each(['/in%2Fhush', '/hush-hush-hush-hush-hush-hush-hush-hush', '/door/hush%zz', '/door/hush', '//door/hush'])(
    'of %s do not repeat what may be a token',
    async (path) => {
      const answers = ['GET', 'POST', 'PUT'].map((method) => fetch(shell.url + path, { method }).then((answer) => answer.text()));
      expect((await Promise.all(answers)).join()).not.toContain('hush');
    },
  );

  it('of unknown routes are 404', async () => {
    expectProblem(await request(shell.url).get('/no/such/route?token=hush'), 'not_found');
    expectProblem(await send('/no/such/route', Buffer.alloc(MAX_BODY_BYTES + 1)), 'not_found');
    expectProblem(await request(shell.url).put('/door').set('content-type', 'text/plain').send('x'), 'not_found');
  });

  it.each(['*door', 'door'])('a target that is no path reaches no route: %s', async (target) => {
    const answer = await raw([`POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`]);
    expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
  });

  it('a whole URL as the target reaches its route', async () => {
    const head = 'host: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close';
    expect(await raw([`POST http://x/door HTTP/1.1\r\n${head}\r\n\r\n{}`])).toMatch(/^HTTP\/1.1 200 /);
  });

  it('of a path that cannot be decoded are 400', async () => {
    const answer = await raw(['GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n']);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('"code":"malformed_request"');
  });

  it('of what is no HTTP are 400, of huge headers 431', async () => {
    expect(await raw(['BLA\r\n\r\n'])).toMatch(/^HTTP\/1.1 400 [^]*"code":"malformed_request"/);
    expect(await raw([`GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`])).toMatch(
      /^HTTP\/1.1 431 [^]*"code":"headers_too_large"/,
    );
  });

  it('by a bug of ours tell nothing of the inside', async () => {
    const response = await request(shell.url).get('/bug');
    expectProblem(response, 'internal_error');
    expect(response.text).not.toContain('secret of the inside');
  });
});

describe('pages', () => {
  it('have defaults', async () => {
    expect((await request(shell.url).get('/list')).body).toEqual({ limit: 50 });
  });

  it.each(['limit=0', 'limit=201', 'limit=x', 'limit=1&limit=2', 'cursor=x', 'cursor=', 'cursor=a&cursor=b'])(
    'asked for by %s are refused',
    async (query) => {
      const response = await request(shell.url).get(`/list?${query}`);
      expectProblem(response, 'malformed_request');
      expect(response.body.problems).toHaveLength(1);
    },
  );

  it('of names may go on after a name', async () => {
    expect((await request(shell.url).get('/names?cursor=default&limit=7')).body).toEqual({ limit: 7, cursor: 'default' });
  });
});

/** Writes to a socket of its own and gives all that comes back. */
function raw(parts: string[]): Promise<string> {
  const { hostname, port } = new URL(shell.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => {
      for (const part of parts) socket.write(part);
    });
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}
