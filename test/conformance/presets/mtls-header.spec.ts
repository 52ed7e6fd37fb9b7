import { commonNameOf, forwardedCertificate } from '../../../src/presets/credentials/certificate-names';
import { codeOf, problemPathsOf, signedRequest, verifierOf } from '../../support/signed-request';

const SHA1 = 'ab'.repeat(20);
const SHA256 = 'cd'.repeat(32);

describe('nginx', () => {
  const verifier = verifierOf({
    type: 'mtls-header',
    commonNames: ['client.example'],
    fingerprints: [SHA1.toUpperCase().replace(/..(?=.)/g, '$&:')],
  });
  const passed = { 'ssl-client-verify': 'SUCCESS' };

  it.each([
    ['its common name', { ...passed, 'ssl-client-s-dn': 'CN=client.example,O=Acme' }, 'accepted'],
    ['its fingerprint', { ...passed, 'ssl-client-s-dn': 'CN=other', 'ssl-client-fingerprint': SHA1 }, 'accepted'],
    ['another one', { ...passed, 'ssl-client-s-dn': 'CN=other', 'ssl-client-fingerprint': 'ba'.repeat(20) }, 'signature_invalid'],
    ['one that says it in its organisation', { ...passed, 'ssl-client-s-dn': 'CN=other,O=Acme\\,CN=client.example' }, 'signature_invalid'],
    ['a name twice', { ...passed, 'ssl-client-s-dn': 'CN=evil, CN=client.example' }, 'signature_invalid'],
    ['a failed check', { 'ssl-client-verify': 'FAILED:expired', 'ssl-client-s-dn': 'CN=client.example' }, 'signature_invalid'],
    ['two verdicts', { 'ssl-client-verify': 'SUCCESS, NONE', 'ssl-client-s-dn': 'CN=client.example' }, 'signature_invalid'],
    ['no verdict', { 'ssl-client-s-dn': 'CN=client.example' }, 'signature_missing'],
    ['a verdict alone', passed, 'signature_invalid'],
  ])('%s', (_what, headers, code) => {
    expect(codeOf(() => verifier.assertValid(signedRequest({ headers, viaProxy: true }), 0))).toBe(code);
    expect(codeOf(() => verifier.assertValid(signedRequest({ headers, viaProxy: false }), 0))).toBe('signature_invalid');
  });

  it('goes by headers of other names', () => {
    const other = verifierOf({ type: 'mtls-header', commonNames: ['c'], verifyHeader: 'X-Verified', subjectHeader: 'X-Subject' });
    const headers = { 'x-verified': 'SUCCESS', 'x-subject': 'CN=c' };
    expect(codeOf(() => other.assertValid(signedRequest({ headers, viaProxy: true }), 0))).toBe('accepted');
  });
});

describe('envoy', () => {
  const verifier = verifierOf({
    type: 'mtls-header',
    format: 'envoy',
    commonNames: ['client'],
    alternativeNames: ['spiffe://acme/ns/a', 'client.example'],
    fingerprints: [SHA256],
  });

  it.each([
    [`By=spiffe://x;Hash=${SHA256};Subject="CN=other"`, 'accepted'],
    [`Hash=00;Subject="CN=client,O=Acme"`, 'accepted'],
    ['Hash=00;URI=spiffe://acme/ns/b;URI=spiffe://acme/ns/a', 'accepted'],
    ['hash=00;DNS=client.example', 'accepted'],
    ['Hash=00;URI=spiffe://evil,Hash=11;URI=spiffe://acme/ns/a', 'accepted'],
    ['Hash=11;URI=spiffe://acme/ns/a,Hash=00;URI=spiffe://evil', 'signature_invalid'],
    ['Hash=00;Subject="O=\\";URI=spiffe://acme/ns/a;\\""', 'signature_invalid'],
    ['Hash=00;Subject="O=x,CN=evil";Subject="CN=client"', 'signature_invalid'],
    ['By=spiffe://acme/ns/a;Hash=00', 'signature_invalid'],
    ['', 'signature_missing'],
    [',;=,;"', 'signature_invalid'],
  ])('%s', (header, code) => {
    const headers = { 'x-forwarded-client-cert': header };
    expect(codeOf(() => verifier.assertValid(signedRequest({ headers, viaProxy: true }), 0))).toBe(code);
    expect(codeOf(() => verifier.assertValid(signedRequest({ headers }), 0))).toBe('signature_invalid');
  });

  it.each([
    ['CN=a\\,b,O=x;y', 'a,b'],
    ['O=x\\,CN=client', undefined],
    ['O=x\\\\,CN=client', undefined],
    ['O=x\\",CN=client', undefined],
  ])('keeps apart what quotes hold: %s', (subject, commonName) => {
    expect(forwardedCertificate(`Hash=AB;Subject="${subject}";DNS=c`)).toEqual({ commonName, alternativeNames: ['c'], fingerprint: 'ab' });
  });
});

it.each([
  ['CN=a,O=b', 'a'],
  ['O=b, cn = a', 'a'],
  ['O=b+CN=a', 'a'],
  ['2.5.4.3=a', 'a'],
  ['CN="a,b"', 'a,b'],
  ['CN=a\\,b', 'a,b'],
  ['CN=J\\C3\\BCrgen', 'Jürgen'],
  ['O=b', undefined],
  ['CN=a,CN=b', undefined],
  ['/O=x/CN=a', undefined],
  ['', undefined],
])('the common name of %s is %s', (name, commonName) => {
  expect(commonNameOf(name)).toBe(commonName);
});

it('needs somebody who is let in', () => {
  expect(problemPathsOf({ type: 'mtls-header' })).toEqual(['verification.commonNames']);
  expect(problemPathsOf({ type: 'mtls-header', alternativeNames: ['a'] })).toEqual(['verification.alternativeNames']);
  expect(problemPathsOf({ type: 'mtls-header', fingerprints: ['a'] })).toEqual(['verification.fingerprints[0]']);
});
