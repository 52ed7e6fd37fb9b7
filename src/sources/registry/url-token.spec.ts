import { hashOf, isToken, newToken, tokenOf } from './url-token';

const TOKEN = 'AZaz09_-'.padEnd(43, 'x');

it.each([
  [`/in/${TOKEN}`, TOKEN],
  [`/in/${TOKEN}/`, TOKEN],
  [`/in/${TOKEN}?a=/b/c`, TOKEN],
  [`/in/${TOKEN}/?a=b`, TOKEN],
  [`/in/${TOKEN}#/x`, TOKEN],
  [`/in/${TOKEN}x`, ''],
  [`/in/${TOKEN.slice(1)}`, ''],
  [`/in/${TOKEN.slice(1)}%41`, ''],
  [`/in/x?${TOKEN}`, ''],
  [`/in/?x=/${TOKEN}`, ''],
  ['/in/', ''],
  ['/', ''],
  ['', ''],
])('the token in %s is "%s"', (target, token) => {
  expect(tokenOf(target)).toBe(token);
});

it('is 256 random bits, and told by nothing that is looked up', () => {
  const [one, other] = [newToken(), newToken()];
  expect([isToken(one), isToken(other), one === other]).toEqual([true, true, false]);
  expect(hashOf(one)).not.toContain(one);
  expect(hashOf(one)).toBe(hashOf(one));
  expect(hashOf(one)).not.toBe(hashOf(other));
});
