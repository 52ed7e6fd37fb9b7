import { codeOf, problemPathsOf, signedRequest, verifierOf } from '../../support/signed-request';

const basicOf = (text: string): { authorization: string } => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('basic', () => {
  const verifier = verifierOf({ type: 'basic', user: 'jürgen', secrets: ['new:word', 'old'] });

  it.each([
    ['the password', basicOf('jürgen:new:word'), 'accepted'],
    ['the one before', basicOf('jürgen:old'), 'accepted'],
    ['a scheme in capitals', { authorization: basicOf('jürgen:old').authorization.replace('Basic', 'BASIC') }, 'accepted'],
    ['another password', basicOf('jürgen:ole'), 'signature_invalid'],
    ['half of it', basicOf('jürgen:new'), 'signature_invalid'],
    ['another user', basicOf('jurgen:old'), 'signature_invalid'],
    ['no colon', basicOf('jürgenold'), 'signature_invalid'],
    ['no user', basicOf(':old'), 'signature_invalid'],
    ['nothing after the scheme', { authorization: 'Basic ' }, 'signature_invalid'],
    ['another scheme', { authorization: 'Bearer old' }, 'signature_invalid'],
    ['no header', {}, 'signature_missing'],
  ])('%s', (_what, headers, code) => {
    expect(codeOf(() => verifier.assertValid(signedRequest({ headers }), 0))).toBe(code);
  });
});

describe('bearer', () => {
  const verifier = verifierOf({ type: 'bearer', secrets: ['new-token', 'old-token'] });

  it.each([
    ['Bearer new-token', 'accepted'],
    ['bearer  old-token', 'accepted'],
    ['Bearer new-tokem', 'signature_invalid'],
    ['Bearer new-token2', 'signature_invalid'],
    ['new-token', 'signature_invalid'],
    ['Basic new-token', 'signature_invalid'],
    ['', 'signature_missing'],
    [undefined, 'signature_missing'],
  ])('Authorization %j', (authorization, code) => {
    const headers = authorization === undefined ? {} : { authorization };
    expect(codeOf(() => verifier.assertValid(signedRequest({ headers }), 0))).toBe(code);
  });

  it('takes no token that a header cannot hold', () => {
    expect(problemPathsOf({ type: 'bearer', secret: 'two words' })).toEqual(['verification.secret']);
  });
});

describe('api-key', () => {
  const inHeader = verifierOf({ type: 'api-key', header: 'X-My-Key', secrets: ['k1', 'k2'] });
  const inQuery = verifierOf({ type: 'api-key', parameter: 'key', secrets: ['k 1', 'k2'] });

  it.each([
    [inHeader, { headers: { 'x-my-key': 'k1' } }, 'accepted'],
    [inHeader, { headers: { 'x-my-key': 'k2' } }, 'accepted'],
    [inHeader, { headers: { 'x-my-key': 'k3' } }, 'signature_invalid'],
    [inHeader, { target: '/in/token?x-my-key=k1' }, 'signature_missing'],
    [inQuery, { target: '/in/token?a=b&key=k%201' }, 'accepted'],
    [inQuery, { target: '/in/token?key=k+1' }, 'accepted'],
    [inQuery, { target: '/in/token?key=k2' }, 'accepted'],
    [inQuery, { target: '/in/token?key=k3' }, 'signature_invalid'],
    [inQuery, { target: '/in/token?key=' }, 'signature_missing'],
    [inQuery, { target: '/in/token', headers: { key: 'k2' } }, 'signature_missing'],
    [inQuery, { target: '/in/token?key=k2&key=k3' }, 'malformed_request'],
  ])('case %#', (verifier, request, code) => {
    expect(codeOf(() => verifier.assertValid(signedRequest(request), 0))).toBe(code);
  });

  it('stands in one place', () => {
    expect(problemPathsOf({ type: 'api-key', secret: 'k' })).toEqual(['verification.header']);
    expect(problemPathsOf({ type: 'api-key', secret: 'k', header: 'a', parameter: 'b' })).toEqual(['verification.header']);
    expect(problemPathsOf({ type: 'api-key', secret: 'k', header: 'a b' })).toEqual(['verification.header']);
  });
});

describe('ip', () => {
  const verifier = verifierOf({ type: 'ip', ranges: ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'] });

  it.each([
    ['192.0.2.255', 'accepted'],
    ['::ffff:192.0.2.1', 'accepted'],
    ['::ffff:c000:201', 'accepted'],
    ['2001:db8:ffff::1', 'accepted'],
    ['198.51.100.7', 'accepted'],
    ['192.0.3.0', 'signature_invalid'],
    ['::ffff:192.0.3.1', 'signature_invalid'],
    ['::192.0.2.1', 'signature_invalid'],
    ['2001:db9::1', 'signature_invalid'],
    ['198.51.100.8', 'signature_invalid'],
    ['192.0.2.1:443', 'signature_invalid'],
    ['unknown', 'signature_invalid'],
    ['', 'signature_invalid'],
  ])('%s', (address, code) => {
    expect(codeOf(() => verifier.assertValid(signedRequest({ address, headers: { 'x-forwarded-for': '192.0.2.1' } }), 0))).toBe(code);
  });

  it('takes ranges only', () => {
    expect(problemPathsOf({ type: 'ip', ranges: ['192.0.2.1', '192.0.2.1/24', 'home'] })).toEqual([
      'verification.ranges[1]',
      'verification.ranges[2]',
    ]);
    expect(problemPathsOf({ type: 'ip' })).toEqual(['verification.ranges']);
  });
});

it('none lets everything in', () => {
  expect(codeOf(() => verifierOf({ type: 'none' }).assertValid(signedRequest(), 0))).toBe('accepted');
});
