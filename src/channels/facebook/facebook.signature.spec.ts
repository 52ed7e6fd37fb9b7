import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../core/errors';
import type { FacebookConfig } from './facebook.config';
import type { Query } from '../../presets/request/query';
import { FacebookSignature } from './facebook.signature';

interface Vector {
  id: string;
  scheme: string;
  secret: string;
  url: string;
  headers: Record<string, string>;
  rawBodyBase64: string;
  valid: boolean;
  expected?: { status: number; body?: string };
  note: string;
}

const fixtures = join(__dirname, '../../../test/fixtures/facebook');
const { cases } = JSON.parse(readFileSync(join(fixtures, 'vectors.json'), 'utf8')) as { cases: Vector[] };
const signatures = cases.filter(({ scheme }) => scheme === 'meta-x-hub-signature-256');
const handshakes = cases.filter(({ scheme }) => scheme === 'meta-verify-handshake');

const signatureOf = (settings: { appSecret?: string[]; verifyToken?: string | null }): FacebookSignature =>
  new FacebookSignature({ appSecret: [], verifyToken: null, ...settings } as unknown as FacebookConfig);

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
};

const body = Buffer.from('{"object":"page","entry":[]}');
const sign = (secret: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

describe('the signature', () => {
  it('has seven vectors', () => expect(signatures).toHaveLength(7));

  it.each(signatures)('$id: $note', ({ secret, headers, rawBodyBase64, valid }) => {
    const signature = signatureOf({ appSecret: ['another-secret', secret] });
    const code = codeOf(() => signature.assertValid(Buffer.from(rawBodyBase64, 'base64'), headers['x-hub-signature-256']));
    const refusal = headers['x-hub-signature-256'] === undefined ? 'signature_missing' : 'signature_invalid';
    expect(code).toBe(valid ? undefined : refusal);
  });

  it.each(['first', 'second'])('by the %s of two secrets is valid', (secret) => {
    expect(codeOf(() => signatureOf({ appSecret: ['first', 'second'] }).assertValid(body, sign(secret)))).toBeUndefined();
  });

  it.each([
    ['', 'signature_missing'],
    [undefined, 'signature_missing'],
    ['sha256=', 'signature_invalid'],
    [sign('secret').slice(0, -1), 'signature_invalid'],
    [`${sign('secret')}0`, 'signature_invalid'],
    [`${sign('secret')}, ${sign('secret')}`, 'signature_invalid'],
    [` ${sign('secret')}`, 'signature_invalid'],
    [sign('secret').slice(7), 'signature_invalid'],
    [sign('secret').replace('sha256', 'sha1'), 'signature_invalid'],
    [`sha256=${'z'.repeat(64)}`, 'signature_invalid'],
    [`sha256=${'ä'.repeat(64)}`, 'signature_invalid'],
    [`sha256=${'0'.repeat(10_000)}`, 'signature_invalid'],
    [sign('Secret'), 'signature_invalid'],
  ])('%j is refused as %s, without a throw of another kind', (header, code) => {
    expect(codeOf(() => signatureOf({ appSecret: ['secret'] }).assertValid(body, header))).toBe(code);
  });

  it('cannot be checked without a secret, even an empty one', () => {
    expect(codeOf(() => signatureOf({}).assertValid(body, sign('')))).toBe('channel_not_configured');
  });
});

describe('the handshake', () => {
  const right = { 'hub.mode': 'subscribe', 'hub.verify_token': 'token', 'hub.challenge': '1158201444' };
  const answer = (query: Query): string => signatureOf({ verifyToken: 'token' }).answerHandshake(query);

  it('has three vectors', () => expect(handshakes).toHaveLength(3));

  it.each(handshakes)('$id: $note', ({ secret, url, expected }) => {
    const query = Object.fromEntries(new URL(url).searchParams);
    const signature = signatureOf({ verifyToken: secret });
    if (expected?.body !== undefined) expect(signature.answerHandshake(query)).toBe(expected.body);
    else expect(codeOf(() => signature.answerHandshake(query))).toBe('verify_token_mismatch');
  });

  it.each<[string, Query, string]>([
    ['another token', { 'hub.verify_token': 'Token' }, 'verify_token_mismatch'],
    ['a longer token', { 'hub.verify_token': 'token2' }, 'verify_token_mismatch'],
    ['an empty token', { 'hub.verify_token': '' }, 'verify_token_mismatch'],
    ['no token', { 'hub.verify_token': undefined }, 'verify_token_mismatch'],
    ['no mode', { 'hub.mode': undefined }, 'verify_token_mismatch'],
    ['no challenge', { 'hub.challenge': undefined }, 'malformed_request'],
    ['an empty challenge', { 'hub.challenge': '' }, 'malformed_request'],
    ['a line break in the challenge', { 'hub.challenge': '1\r\nSet-Cookie: a=b' }, 'malformed_request'],
    ['a challenge without end', { 'hub.challenge': '1'.repeat(513) }, 'malformed_request'],
    ['a doubled token', { 'hub.verify_token': ['token', 'token'] }, 'malformed_request'],
    ['a doubled mode', { 'hub.mode': ['subscribe', 'subscribe'] }, 'malformed_request'],
    ['a doubled challenge', { 'hub.challenge': ['1', '2'] }, 'malformed_request'],
  ])('with %s is refused', (_what, change, code) => {
    expect(answer(right)).toBe('1158201444');
    expect(codeOf(() => answer({ ...right, ...change }))).toBe(code);
  });

  it('cannot be answered without a token', () => {
    expect(codeOf(() => signatureOf({ appSecret: ['secret'] }).answerHandshake(right))).toBe('channel_not_configured');
  });
});
