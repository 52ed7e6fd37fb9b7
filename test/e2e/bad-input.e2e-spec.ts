import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { request } from 'undici';
import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, newMessageId, signatureOf } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';

const MEBIBYTE = 1_048_576;

interface Case {
  what: string;
  status: number;
  code: string;
  /** Made when the case runs: some are large. */
  body: () => Buffer | string;
  headers?: Record<string, string | string[]>;
}

const good = (): string => batchOf([newMessageId()]);
/** A gigabyte of spaces in a megabyte of gzip: members may stand one after the other. */
const bomb = (): Buffer => Buffer.concat(Array<Buffer>(64).fill(gzipSync(Buffer.alloc(16 * MEBIBYTE, ' '))));

const CASES: Case[] = [
  {
    what: 'a wrong signature',
    status: 401,
    code: 'signature_invalid',
    body: good,
    headers: { 'x-hub-signature-256': signatureOf('other') },
  },
  {
    what: 'a signature cut short',
    status: 401,
    code: 'signature_invalid',
    body: () => '{}',
    headers: { 'x-hub-signature-256': signatureOf('{}').slice(0, 40) },
  },
  {
    what: 'a signature by another secret',
    status: 401,
    code: 'signature_invalid',
    body: () => '{}',
    headers: { 'x-hub-signature-256': signatureOf('{}', 'other') },
  },
  { what: 'no signature', status: 401, code: 'signature_missing', body: good, headers: { 'x-hub-signature-256': [] } },
  { what: 'over 3 MiB', status: 413, code: 'body_too_large', body: () => Buffer.alloc(3 * MEBIBYTE + 1, ' ') },
  { what: 'no JSON', status: 400, code: 'malformed_json', body: () => '{"object":"page",' },
  { what: 'no JSON but a signature', status: 400, code: 'malformed_json', body: () => Buffer.from([0xff, 0xfe, 0x00]) },
  { what: 'nothing at all', status: 400, code: 'malformed_json', body: () => '' },
  { what: 'JSON that is no batch', status: 400, code: 'malformed_request', body: () => '[]' },
  { what: 'another content type', status: 415, code: 'unsupported_media_type', body: good, headers: { 'content-type': 'text/plain' } },
  {
    what: 'a form',
    status: 415,
    code: 'unsupported_media_type',
    body: good,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  },
  { what: 'an unknown encoding', status: 415, code: 'unsupported_encoding', body: good, headers: { 'content-encoding': 'br' } },
  {
    what: 'a doubled encoding',
    status: 415,
    code: 'unsupported_encoding',
    body: () => gzipSync(gzipSync(good())),
    headers: { 'content-encoding': 'gzip, gzip' },
  },
  {
    what: 'a doubled encoding header',
    status: 415,
    code: 'unsupported_encoding',
    body: () => gzipSync(gzipSync(good())),
    headers: { 'content-encoding': ['gzip', 'gzip'] },
  },
  { what: 'a gzip bomb', status: 413, code: 'body_too_large', body: bomb, headers: { 'content-encoding': 'gzip' } },
  { what: 'a million levels of nesting', status: 400, code: 'json_too_deep', body: () => '['.repeat(1_000_000) + ']'.repeat(1_000_000) },
  {
    what: 'a million levels inside a batch',
    status: 400,
    code: 'json_too_deep',
    body: () => `{"entry":[{"id":"1","messaging":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}]}`,
  },
];

describe.each(ENGINE_SETS)('Bad input on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;

  beforeAll(async () => {
    engines = await acquireEngines(set);
    gateway = await Gateway.ready(engines.options);
  });
  afterAll(async () => {
    await gateway?.remove();
    await engines?.release();
  });

  async function post(body: Buffer | string, headers: Case['headers'] = {}): Promise<{ status: number; type: unknown; problem: Problem }> {
    const sent = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body), ...headers };
    const response = await request(`${gateway.url}/facebook`, { method: 'POST', body, headers: sent });
    const text = await response.body.text();
    const type = response.headers['content-type'];
    return { status: response.statusCode, type, problem: (String(type).includes('json') ? JSON.parse(text) : {}) as Problem };
  }

  /** The refusal as /api/v1/requests lists it. */
  const listed = (requestId: string): Promise<object> =>
    eventually('the refusal is listed', async () => {
      const { data } = await gateway.must(200, 'GET', '/api/v1/requests?outcome=rejected&limit=100');
      return (data as { requestId: string }[]).find((row) => row.requestId === requestId);
    });

  it.each(CASES)('$what is refused with $status $code, counted and listed', async ({ status, code, body, headers }) => {
    const labels = { source: 'facebook', code };
    const before = await gateway.metric('hookline_requests_rejected_total', labels);
    const answer = await post(body(), headers);
    expect(answer).toMatchObject({ status, type: expect.stringMatching(/^application\/problem\+json/), problem: { status, code } });
    expect(await gateway.metric('hookline_requests_rejected_total', labels)).toBe(before + 1);
    expect(await listed(answer.problem.requestId)).toMatchObject({ source: 'facebook', status, code, outcome: 'rejected' });
    expect((await post(good())).status).toBe(200);
  });

  it('a wrong verify token is refused with 403, counted and listed, without the token', async () => {
    const { status, body } = await gateway.get('/facebook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=a-wrong-token');
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'verify_token_mismatch' });
    const row = await listed(body.requestId as string);
    expect(row).toMatchObject({ source: 'facebook', status: 403, code: 'verify_token_mismatch' });
    expect(JSON.stringify(row)).not.toContain('a-wrong-token');
    expect(gateway.log).not.toContain('a-wrong-token');
  });

  it('a body over the limit that does not say its length is refused with 413', async () => {
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < 8; sent++) yield await Promise.resolve(Buffer.alloc(MEBIBYTE, ' '));
    }
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': 'sha256=00' };
    // The connection may be closed before all of it was sent; a refusal that arrived is a 413.
    const answer = await request(`${gateway.url}/facebook`, { method: 'POST', body: Readable.from(chunks()), headers }).catch(
      () => undefined,
    );
    if (answer) expect(answer.statusCode).toBe(413);
    await answer?.body.dump();
    const counted = async (): Promise<boolean> =>
      (await gateway.metric('hookline_requests_rejected_total', { source: 'facebook', code: 'body_too_large' })) > 0;
    await eventually('it is counted', counted);
  });

  it('a gzip bomb is not inflated', async () => {
    const before = await gateway.metric('process_resident_memory_bytes');
    for (let round = 0; round < 5; round++) await post(bomb(), { 'content-encoding': 'gzip' });
    expect((await gateway.metric('process_resident_memory_bytes')) - before).toBeLessThan(150 * MEBIBYTE);
  });

  it('__proto__ is a name like any other', async () => {
    const receiver = await Receiver.start();
    try {
      const { accountId, pageId } = await gateway.newAccount();
      await gateway.subscribe(receiver.url, { accountId });
      const item = `{"__proto__":{"enabled":true},"constructor":{"prototype":{"x":1}},"message":{"mid":"${newMessageId()}","__proto__":{"is_echo":true}}}`;
      const body = `{"__proto__":{"entry":[]},"object":"page","entry":[{"__proto__":{"id":"1"},"id":"${pageId}","messaging":[${item}]}]}`;
      expect((await post(body)).status).toBe(200);
      await eventually('it is delivered', () => receiver.received.length > 0);
      expect(receiver.received[0]?.body.toString()).toContain(`"data":${item}`);
      const answer = await gateway.call('POST', '/api/v1/endpoints', '{"url":"http://127.0.0.1:1/","__proto__":{"enabled":false}}');
      expect([201, 422]).toContain(answer.status);
      expect((await gateway.get('/health/ready')).status).toBe(200);
    } finally {
      await receiver.stop();
    }
  });

  it.each([
    ['GET', '/api/v1/events', undefined, 401, 'unauthorized'],
    ['GET', '/nowhere', undefined, 404, 'not_found'],
  ])('%s %s without a key is a problem as well', async (method, path, body, status, code) => {
    const response = await request(gateway.url + path, { method: method as 'GET', body: body ?? null });
    expect(response.statusCode).toBe(status);
    expect(await response.body.json()).toMatchObject({ code, status });
  });

  it('an enabled channel without its secret answers 503', async () => {
    await gateway.terminate();
    gateway.start({ HOOK_SERVER_FACEBOOK_APP_SECRET: '' });
    await gateway.becomesReady();
    const answer = await post(good());
    expect(answer).toMatchObject({ status: 503, problem: { code: 'channel_not_configured' } });
    await listed(answer.problem.requestId);
  });
});

interface Problem {
  code: string;
  status: number;
  requestId: string;
}
