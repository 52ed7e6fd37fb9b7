import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../core/errors';
import type { TwitterConfig } from './twitter.config';
import type { Query } from '../../presets/request/query';
import { TwitterSignature } from './twitter.signature';

interface Vector {
  id: string;
  scheme: string;
  secret: string;
  url: string;
  headers: Record<string, string>;
  rawBodyBase64: string;
  valid: boolean;
  expected?: { status: number; json?: { response_token: string } };
  candidateResponseToken?: string;
  note: string;
}

const fixtures = join(__dirname, '../../../test/fixtures/twitter');
const { cases } = JSON.parse(readFileSync(join(fixtures, 'vectors.json'), 'utf8')) as { cases: Vector[] };
const signatures = cases.filter(({ scheme }) => scheme === 'x-twitter-webhooks-signature');
const checks = cases.filter(({ scheme }) => scheme === 'x-crc');

const signatureOf = (...consumerSecret: string[]): TwitterSignature => new TwitterSignature({ consumerSecret } as unknown as TwitterConfig);

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
};

const body = Buffer.from('{"for_user_id":"1","follow_events":[]}');
const hmac = (secret: string, text: Buffer | string = body): string =>
  `sha256=${createHmac('sha256', secret).update(text).digest('base64')}`;

describe('the signature', () => {
  it('has five vectors', () => expect(signatures).toHaveLength(5));

  it.each(signatures)('$id: $note', ({ secret, headers, rawBodyBase64, valid }) => {
    const header = headers['x-twitter-webhooks-signature'];
    const code = codeOf(() => signatureOf('another-secret', secret).assertValid(Buffer.from(rawBodyBase64, 'base64'), header));
    expect(code).toBe(valid ? undefined : header === undefined ? 'signature_missing' : 'signature_invalid');
  });

  it.each(['first', 'second'])('by the %s of two secrets is valid', (secret) => {
    expect(codeOf(() => signatureOf('first', 'second').assertValid(body, hmac(secret)))).toBeUndefined();
  });

  it.each([
    ['', 'signature_missing'],
    [undefined, 'signature_missing'],
    ['sha256=', 'signature_invalid'],
    [hmac('secret').slice(0, -1), 'signature_invalid'],
    [`${hmac('secret')}=`, 'signature_invalid'],
    [hmac('secret').slice(7), 'signature_invalid'],
    [`sha256=${createHmac('sha256', 'secret').update(body).digest('hex')}`, 'signature_invalid'],
    [hmac('other'), 'signature_invalid'],
  ])('%s is refused', (header, code) => {
    expect(codeOf(() => signatureOf('secret').assertValid(body, header))).toBe(code);
  });

  it('cannot be checked without a secret', () => {
    expect(codeOf(() => signatureOf().assertValid(body, hmac('')))).toBe('channel_not_configured');
  });
});

describe('the check', () => {
  const queryOf = (url: string): Query => Object.fromEntries(new URL(url).searchParams);

  it('has four vectors', () => expect(checks).toHaveLength(4));

  it.each(checks)('$id: $note', ({ secret, url, valid, expected, candidateResponseToken }) => {
    const answer = (): string => signatureOf(secret, 'the-next-one').answerCheck(queryOf(url));
    if (expected?.json === undefined) return expect(codeOf(answer)).toBe('malformed_request');
    expect(answer()).toBe(expected.json.response_token);
    expect(answer() === candidateResponseToken).toBe(valid);
  });

  it.each(['x', 'Az09 +/=_.-', 'x'.repeat(200)])('answers %s', (token) => {
    expect(signatureOf('secret').answerCheck({ crc_token: token, nonce: 'n' })).toBe(hmac('secret', token));
  });

  it.each<[string, Query]>([
    ['none', {}],
    ['an empty one', { crc_token: '' }],
    ['two', { crc_token: ['a', 'b'] }],
    ['201 characters', { crc_token: 'x'.repeat(201) }],
    ['an object that would be signed', { crc_token: '{"user_event":{"revoke":{}}}' }],
    ['an escaped one', { crc_token: '{}' }],
    ['a list', { crc_token: '[]' }],
    ['a quote', { crc_token: '"a"' }],
    ['a line after it', { crc_token: 'a\n' }],
    ['a tab', { crc_token: 'a\tb' }],
    ['letters of other scripts', { crc_token: 'ä' }],
    ['a colon', { crc_token: 'a:b' }],
    ['a comma', { crc_token: '1,2' }],
  ])('refuses %s', (_, query) => {
    expect(codeOf(() => signatureOf('secret').answerCheck(query))).toBe('malformed_request');
  });

  it('cannot be answered without a secret', () => {
    expect(codeOf(() => signatureOf().answerCheck({ crc_token: 'x' }))).toBe('channel_not_configured');
  });
});
