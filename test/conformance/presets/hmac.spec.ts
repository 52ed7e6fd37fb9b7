import { createHmac } from 'node:crypto';
import { altered, codeOf, problemPathsOf, signedRequest, verifierOf } from '../../support/signed-request';

const NOW_MS = 1_700_000_000_000;
const BODY = '{"a":"ü"}';

const sign = (content: string, { algorithm = 'sha256', encoding = 'hex', key = Buffer.from('key') } = {}): string =>
  createHmac(algorithm, key)
    .update(content)
    .digest(encoding as 'hex');

const check = (verification: object, request: Parameters<typeof signedRequest>[0]): string =>
  codeOf(() => verifierOf({ type: 'hmac', secret: 'key', ...verification }).assertValid(signedRequest(request), NOW_MS));

describe.each(['sha1', 'sha256', 'sha384', 'sha512'])('%s', (algorithm) => {
  it.each(['hex', 'base64', 'base64url'])('in %s', (encoding) => {
    const settings = { header: 'X-Sig', prefix: 'v=', algorithm, encoding };
    const signature = sign(BODY, { algorithm, encoding });
    expect(check(settings, { body: BODY, headers: { 'x-sig': `v=${signature}` } })).toBe('accepted');
    expect(check(settings, { body: altered(BODY), headers: { 'x-sig': `v=${signature}` } })).toBe('signature_invalid');
    expect(check(settings, { body: BODY, headers: { 'x-sig': `v=${altered(signature, 1)}` } })).toBe('signature_invalid');
    expect(check(settings, { body: BODY, headers: { 'x-sig': signature } })).toBe('signature_invalid');
    expect(check(settings, { body: BODY })).toBe('signature_missing');
  });
});

it.each([
  ['utf8', 'kéy', Buffer.from('kéy')],
  ['hex', '6b6579', Buffer.from('key')],
  ['base64', 'a2V5', Buffer.from('key')],
  ['base64', 'whsec_a2V5', Buffer.from('key')],
])('a key in %s', (keyForm, secret, key) => {
  const headers = { 'x-sig': sign(BODY, { key }) };
  expect(check({ header: 'x-sig', keyForm, secret }, { body: BODY, headers })).toBe('accepted');
});

it('takes a signature by any secret that counts', () => {
  const verifier = verifierOf({ type: 'hmac', header: 'x-sig', secrets: ['new', 'key'] });
  const valid = signedRequest({ body: BODY, headers: { 'x-sig': sign(BODY) } });
  const other = signedRequest({ body: BODY, headers: { 'x-sig': sign(BODY, { key: Buffer.from('other') }) } });
  expect([valid, other].map((request) => codeOf(() => verifier.assertValid(request, NOW_MS)))).toEqual(['accepted', 'signature_invalid']);
});

describe('a template', () => {
  const template = '{method} {url}|{path}|{target}|{id}|{header:X-Tenant}|{timestamp}.{body}';
  const settings = { header: 'x-sig', template, idHeader: 'X-Id', timestampHeader: 'X-Time' };
  const content = `POST https://gw.example.com/in/t?q=1|/in/t|/in/t?q=1|id1|acme|1700000000.${BODY}`;
  const headers = { 'x-sig': sign(content), 'x-id': 'id1', 'x-tenant': 'acme', 'x-time': '1700000000' };
  const valid = { target: '/in/t?q=1', body: BODY, headers };

  it('is what is signed, all of it', () => {
    expect(check(settings, valid)).toBe('accepted');
    expect(check(settings, { ...valid, method: 'PUT' })).toBe('signature_invalid');
    expect(check(settings, { ...valid, target: '/in/t?q=2' })).toBe('signature_invalid');
    expect(check(settings, { ...valid, body: altered(BODY) })).toBe('signature_invalid');
    for (const [name, value] of Object.entries({ 'x-id': 'id2', 'x-tenant': 'Acme', 'x-time': '1700000001' })) {
      expect(check(settings, { ...valid, headers: { ...headers, [name]: value } })).toBe('signature_invalid');
      expect(check(settings, { ...valid, headers: { ...headers, [name]: '' } })).toBe('signature_missing');
    }
  });

  it('with the URL needs to know it', () => {
    const verifier = verifierOf({ type: 'hmac', secret: 'key', header: 'x-sig', template: '{url}{body}' }, { publicUrl: null });
    expect(codeOf(() => verifier.assertValid(signedRequest({ headers }), NOW_MS))).toBe('channel_not_configured');
  });
});

describe('the time', () => {
  const inHeader = { header: 'x-sig', template: '{timestamp}.{body}', timestampHeader: 'x-time', toleranceSeconds: 60 };
  const inPart = {
    header: 'x-sig',
    template: '{timestamp}.{body}',
    timestampPart: 't',
    separator: ',',
    prefix: 'v1=',
    toleranceSeconds: 60,
  };

  it.each([
    [1_700_000_000, 'accepted'],
    [1_699_999_940, 'accepted'],
    [1_700_000_060, 'accepted'],
    [1_699_999_939, 'signature_expired'],
    [1_700_000_061, 'signature_expired'],
    [1_700_000_000_000, 'accepted'],
  ])('%d', (time, code) => {
    const signature = sign(`${String(time)}.${BODY}`);
    expect(check(inHeader, { body: BODY, headers: { 'x-sig': signature, 'x-time': String(time) } })).toBe(code);
    const several = `t=${String(time)},v1=${sign('another')},v0=1,v1=${signature}`;
    expect(check(inPart, { body: BODY, headers: { 'x-sig': several } })).toBe(code);
  });

  it('that is none', () => {
    expect(check(inHeader, { body: BODY, headers: { 'x-sig': sign(`.${BODY}`), 'x-time': 'now' } })).toBe('signature_invalid');
    expect(check(inPart, { body: BODY, headers: { 'x-sig': `v1=${sign(`.${BODY}`)}` } })).toBe('signature_missing');
  });
});

it.each([
  [{}, ['header']],
  [{ header: 'two words' }, ['header']],
  [{ header: 'x', template: '{timestamp}' }, ['template']],
  [{ header: 'x', template: '{body}{nothing}' }, ['template']],
  [{ header: 'x', template: '{timestamp}{body}' }, ['template']],
  [{ header: 'x', timestampHeader: 'y' }, ['template']],
  [{ header: 'x', template: '{id}{body}' }, ['template']],
  [{ header: 'x', template: '{timestamp}{body}', timestampPart: 't' }, ['timestampPart']],
  [{ header: 'x', keyForm: 'hex' }, ['secrets']],
  [{ header: 'x', keyForm: 'base64', secret: 'k%y' }, ['secrets']],
  [{ header: 'x', toleranceSeconds: 0 }, ['toleranceSeconds']],
  [{ header: 'x', dedupeFrom: 'somewhere' }, ['dedupeFrom']],
  [{ header: 'x', dedupeFrom: 'body:event.id' }, []],
])('%j has problems at %j', (settings, paths) => {
  expect(problemPathsOf({ type: 'hmac', secret: 'key', ...settings })).toEqual(paths.map((path) => `verification.${path}`));
});
