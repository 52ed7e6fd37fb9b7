import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../../src/core/errors';
import { eventually } from '../../support/eventually';
import type { ChannelDescriptor, ChannelRequest, Door } from './channel-descriptor';
import { ChannelRig, codeOf, requestTo, sampleOf } from './channel-rig';

const MAX_BODY_BYTES = 3_145_728;

interface Case {
  what: string;
  /** Made when it is sent: a signature may hold for a short time only. */
  make: () => ChannelRequest;
  status: number;
  code: ErrorCode;
}

/** What is no sender's, or nothing that can be read, is refused with its reason, kept nowhere, and listed. */
export function refusalSuite(descriptor: ChannelDescriptor): void {
  const { name, doors, refusals = [] } = descriptor;
  const cases: Case[] = [
    ...doors.flatMap((door) => casesOf(descriptor, door)),
    ...refusals.map(({ request, ...expected }) => ({ ...expected, make: () => request })),
  ];
  const refused: object[] = [];
  let rig: ChannelRig;

  beforeAll(async () => {
    rig = await ChannelRig.start(descriptor, { HTTP_MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
  });

  afterAll(() => rig.close());

  it.each(cases)('refuses $what', async ({ make, status, code }) => {
    const answer = await rig.send(make());
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(answer.contentType).toMatch(/^application\/problem\+json/);
    expect(await rig.waiting()).toBe(0);
    refused.push({ requestId: answer.headers['x-request-id'], source: name, status, code });
  });

  it('lists each refusal with its reason', async () => {
    await eventually('they are listed', async () => {
      const { data } = await rig.app.must(200, 'GET', '/api/v1/requests?outcome=rejected&limit=200');
      expect((data as object[]).reverse()).toMatchObject(refused);
      return true;
    });
  });

  it('accepts nothing of that, and goes on', async () => {
    expect(await rig.events()).toEqual([]);
    expect((await rig.sendTo(doors[0], sampleOf(descriptor, doors[0]))).status).toBe(doors[0].answer.status);
    await rig.settled(1);
  });
}

function casesOf(descriptor: ChannelDescriptor, door: Door): Case[] {
  const { sign, signatureHeader, unsigned = { missing: 'signature_missing', wrong: 'signature_invalid' } } = descriptor;
  const sample = sampleOf(descriptor, door);
  const signed = (body: Buffer | string): ChannelRequest => sign(requestTo(door, Buffer.from(body)));
  const withHeaders = (request: ChannelRequest, headers: Record<string, string>): ChannelRequest => ({
    ...request,
    headers: { ...request.headers, ...headers },
  });
  const withSignature = (change: (value: string) => string): ChannelRequest => {
    const request = signed(sample);
    return withHeaders(request, { [signatureHeader]: change(request.headers[signatureHeader]!) });
  };
  const without = (header: string): ChannelRequest => {
    const request = signed(sample);
    return { ...request, headers: Object.fromEntries(Object.entries(request.headers).filter(([key]) => key !== header)) };
  };
  const bad = (what: string, status: number, code: ErrorCode, make: () => ChannelRequest): Case => ({
    what: `${what} at ${door.path}`,
    make,
    status,
    code,
  });
  const otherForm = door.contentType.includes('json') ? 'application/x-www-form-urlencoded' : 'multipart/form-data; boundary=a';
  return [
    bad('no signature', 401, unsigned.missing, () => without(signatureHeader)),
    bad('an empty signature', 401, unsigned.missing, () => withSignature(() => '')),
    bad('a wrong signature', 401, unsigned.wrong, () => withSignature(damaged)),
    bad('a signature cut short', 401, unsigned.wrong, () => withSignature((value) => value.slice(0, value.length / 2))),
    bad('a signature without end', 401, unsigned.wrong, () => withSignature((value) => value.repeat(100))),
    bad('an unsigned body that is nothing', 401, unsigned.missing, () => requestTo(door, Buffer.from('{'))),
    bad('another content type', 415, 'unsupported_media_type', () => withHeaders(signed(sample), { 'content-type': 'text/plain' })),
    bad('another form', 415, 'unsupported_media_type', () => withHeaders(signed(sample), { 'content-type': otherForm })),
    bad('no content type', 415, 'unsupported_media_type', () => without('content-type')),
    bad('an unknown encoding', 415, 'unsupported_encoding', () => withHeaders(signed(sample), { 'content-encoding': 'br' })),
    bad('a body over 3 MiB', 413, 'body_too_large', () => signed(Buffer.alloc(MAX_BODY_BYTES + 1, 0x20))),
    bad('a gzip bomb', 413, 'body_too_large', () => {
      const request = withHeaders(signed(sample), { 'content-encoding': 'gzip' });
      return { ...request, body: gzipSync(Buffer.alloc(20_000_000)) };
    }),
    ...Object.entries(door.malformed).map(([what, body]) => bad(what, 400, 'malformed_request', () => signed(body))),
    ...(door.contentType.includes('json') ? jsonCases(bad, signed, sample) : []),
  ];
}

function jsonCases(
  bad: (what: string, status: number, code: ErrorCode, make: () => ChannelRequest) => Case,
  signed: (body: Buffer | string) => ChannelRequest,
  sample: Buffer,
): Case[] {
  return [
    bad('no body', 400, 'malformed_json', () => signed('')),
    bad('text that is no JSON', 400, 'malformed_json', () => signed('a=1&b=2')),
    bad('JSON cut short', 400, 'malformed_json', () => signed(sample.subarray(0, sample.length - 1))),
    bad('65 levels', 400, 'json_too_deep', () => signed('['.repeat(65) + ']'.repeat(65))),
    bad('a million levels', 400, 'json_too_deep', () => signed('['.repeat(1_000_000))),
  ];
}

/** One digit of it changed, so that it is still of the right form. */
function damaged(value: string): string {
  const at = Math.floor(value.length / 2);
  return `${value.slice(0, at)}${value[at] === '0' ? '1' : '0'}${value.slice(at + 1)}`;
}
