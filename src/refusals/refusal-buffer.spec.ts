import { type Refusal, redact, toRow } from './refusal';
import { RefusalBuffer } from './refusal-buffer';

const refusal = (requestId: string, body = 'x'): Refusal => ({
  door: 'test',
  source: 'test',
  status: 401,
  code: 'signature_invalid',
  detail: 'no\0',
  method: 'POST',
  path: '/door',
  address: '127.0.0.1',
  headers: {},
  body: Buffer.from(body),
  bodyBytes: body.length,
  requestId,
});
const row = (requestId: string, body?: string): ReturnType<typeof toRow> => toRow(refusal(requestId, body), 1, 10);
const ids = (buffer: RefusalBuffer): string[] => buffer.take().map(({ request_id }) => request_id);

it('keeps the newest and counts what fell out', () => {
  const buffer = new RefusalBuffer(10, 1_000);
  let dropped = 0;
  for (let i = 1; i <= 100; i++) dropped += buffer.add(row(String(i)));
  const kept = ids(buffer);
  expect(kept.at(-1)).toBe('100');
  expect(kept.length + dropped).toBe(100);
  expect(kept.length).toBeLessThanOrEqual(11);
});

it('puts back what could not be written before what came meanwhile', () => {
  const buffer = new RefusalBuffer(10, 1_000);
  buffer.add(row('a'));
  const taken = buffer.take();
  buffer.add(row('b'));
  expect(buffer.restore(taken)).toBe(0);
  expect(ids(buffer)).toEqual(['a', 'b']);
});

it('keeps rows without their bodies past its budget, and takes bodies again once it was emptied', () => {
  const buffer = new RefusalBuffer(10, 10);
  buffer.add(row('a', '12345678'));
  buffer.add(row('b', '12345678'));
  expect(buffer.take().map(({ body }) => body?.length ?? null)).toEqual([8, null]);
  buffer.add(row('c', '12345678'));
  expect(buffer.take()[0]?.body).toHaveLength(8);
});

it('cuts bodies, and cleans texts of NUL', () => {
  const kept = row('a', '12345678901234567890');
  expect(kept).toMatchObject({ body_bytes: 20, detail: 'no', outcome: 'rejected' });
  expect(Buffer.from(kept.body ?? []).toString()).toBe('1234567890');
});

it('shows no header that may hold a secret', () => {
  const secret = { authorization: 'a', Cookie: 'a', 'x-hub-signature-256': 'a', 'X-Twilio-Signature': 'a', 'x-otp': 'a', 'x-api-key': 'a' };
  expect(Object.values(redact(secret))).toEqual(Object.keys(secret).map(() => '***'));
  expect(redact({ 'user-agent': 'curl', accept: ['a', 'b'], missing: undefined })).toEqual({ 'user-agent': 'curl', accept: 'a,b' });
});
