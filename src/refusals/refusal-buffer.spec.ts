import { SecretBox } from '../secrets/secret-box';
import { secretKey } from '../secrets/secret-key';
import { type KeptRefusal, type Refusal, keep, redact, toRow } from './refusal';
import { RefusalBuffer } from './refusal-buffer';

const refusal = (requestId: string, body = 'x', source = 'test'): Refusal => ({
  door: 'test',
  source,
  status: 401,
  code: 'signature_invalid',
  detail: 'no\0',
  path: '/door',
  request: {
    requestId,
    receivedAt: 1,
    route: '/door',
    method: 'POST',
    target: '/door?token=of-the-target',
    headers: { authorization: 'Bearer of-the-header' },
    body: Buffer.from(body),
    address: '127.0.0.1',
    viaProxy: false,
  },
  body: Buffer.from(body),
  bodyBytes: body.length,
});
const kept = (requestId: string, body?: string, source?: string): KeptRefusal => keep(refusal(requestId, body, source), 10);
const ids = (buffer: RefusalBuffer): string[] => buffer.take().map(({ refusal: { request } }) => request.requestId);
const bufferOf = (rows: number, bytes: number): RefusalBuffer =>
  new RefusalBuffer({ rows, rowsPerSource: rows, bytes, bytesPerSource: bytes });

it('keeps the newest and counts what fell out', () => {
  const buffer = bufferOf(10, 1_000);
  let dropped = 0;
  for (let i = 1; i <= 100; i++) dropped += buffer.add(kept(String(i).padStart(3, '0')));
  const left = ids(buffer);
  expect(left.at(-1)).toBe('100');
  expect(left.length + dropped).toBe(100);
  expect(left.length).toBeLessThanOrEqual(11);
});

it('puts back what could not be written before what came meanwhile', () => {
  const buffer = bufferOf(10, 1_000);
  buffer.add(kept('a'));
  const taken = buffer.take();
  buffer.add(kept('b'));
  expect(buffer.restore(taken)).toBe(0);
  expect(ids(buffer)).toEqual(['a', 'b']);
});

it('keeps rows without their bodies past its budget, and takes bodies again once it was emptied', () => {
  const buffer = bufferOf(10, 10);
  buffer.add(kept('a', '12345678'));
  buffer.add(kept('b', '12345678'));
  expect(buffer.take().map(({ body }) => body?.length ?? null)).toEqual([8, null]);
  buffer.add(kept('c', '12345678'));
  expect(buffer.take()[0]?.body).toHaveLength(8);
});

it('cuts bodies and says so, cleans texts of NUL, and shows nothing secret', () => {
  const row = toRow(kept('a', '12345678901234567890'), new SecretBox([secretKey(Buffer.alloc(32, 1))]));
  expect(row).toMatchObject({ body_bytes: 20, body_whole: 0, detail: 'no', outcome: 'rejected' });
  expect(Buffer.from(row.body ?? []).toString()).toBe('1234567890');
  expect(JSON.stringify(row)).not.toMatch(/of-the-(target|header)/);
});

it('lets a flood at one source push out nobody else', () => {
  const buffer = new RefusalBuffer({ rows: 30, rowsPerSource: 20, bytes: 60, bytesPerSource: 40 });
  buffer.add(kept('quiet', '12345678', 'quiet'));
  for (let i = 0; i < 1_000; i++) buffer.add(kept(`then ${i}`, '12345678', 'loud'));
  const [first, ...others] = buffer.take();
  expect(first).toMatchObject({ refusal: { request: { requestId: 'quiet' } }, isWhole: true });
  expect(first?.body).toHaveLength(8);
  expect(others.length).toBeLessThanOrEqual(22);
});

it('shows no header that may hold a secret', () => {
  const secret = { authorization: 'a', Cookie: 'a', 'x-hub-signature-256': 'a', 'X-Twilio-Signature': 'a', 'x-otp': 'a', 'x-api-key': 'a' };
  const digests = { 'x-shopify-hmac-sha256': 'a', 'x-sig': 'a', 'x-body-digest': 'a', 'x-shop-auth': 'a', 'x-key': 'a' };
  const urls = { 'x-original-uri': 'a', 'x-forwarded-uri': 'a', 'x-original-url': 'a', 'x-envoy-original-path': 'a', referer: 'a' };
  expect(Object.values(redact({ ...digests, ...urls }))).toEqual(Array(10).fill('***'));
  expect(Object.values(redact(secret))).toEqual(Object.keys(secret).map(() => '***'));
  expect(redact({ 'user-agent': 'curl', 'x-list': ['a', 'b'], missing: undefined })).toEqual({ 'user-agent': 'curl', 'x-list': 'a,b' });
});
