import { headerProblems, newSecret, normalSecret, shownHeaders, withHidden } from './endpoint-rules';

describe('headerProblems', () => {
  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'CONNECTION',
    'webhook-id',
    'Webhook-Signature',
    'webhook-anything',
    'bad name',
    '',
    'a\r\nb',
  ])('refuses the name %j', (name) => {
    expect(headerProblems({ [name]: 'x' }, false).map((problem) => problem.path)).toEqual([`headers.${name}`]);
  });

  it.each([['a\r\nX: y'], ['a\nb'], ['a\u0000'], ['€'], [7], [null], ['x'.repeat(4_097)]])('refuses the value %j', (value) => {
    expect(headerProblems({ 'x-own': value }, false)).toHaveLength(1);
  });

  it('refuses a name that stands there twice in two spellings', () => {
    expect(headerProblems({ 'x-own': 'a', 'X-Own': 'b' }, false)).toHaveLength(1);
  });

  it('leaves authorization to auth where both are given', () => {
    expect(headerProblems({ Authorization: 'Token x' }, false)).toEqual([]);
    expect(headerProblems({ Authorization: 'Token x' }, true)).toHaveLength(1);
  });

  it('takes what HTTP takes', () => {
    expect(headerProblems({ 'X-Own': 'a b\tc; "q"', 'x-empty': '', 'x-latin': 'ü' }, false)).toEqual([]);
  });
});

describe('headers that are credentials', () => {
  it.each(['Authorization', 'X-Api-Key', 'apikey', 'X-Auth', 'Cookie', 'X-Access-Token', 'x-client-secret', 'X-Signature', 'Key'])(
    'hides the value of %s',
    (name) => {
      expect(shownHeaders({ [name]: 'hidden' })).toEqual({ [name]: '***' });
      expect(withHidden({ [name.toUpperCase()]: '***' }, { [name]: 'hidden' })).toEqual({ [name.toUpperCase()]: 'hidden' });
      expect(headerProblems({ [name]: '***' }, false)).toHaveLength(1);
    },
  );

  it.each(['X-Team', 'Content-Type', 'X-Monkey', 'X-Author', 'Accept'])('shows the value of %s', (name) => {
    expect(shownHeaders({ [name]: 'a' })).toEqual({ [name]: 'a' });
    expect(withHidden({ [name]: '***' }, { [name]: 'a' })).toEqual({ [name]: '***' });
  });
});

describe('normalSecret', () => {
  const base64 = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');

  it.each([24, 32, 64])('takes %i bytes, with the prefix and without', (bytes) => {
    expect(normalSecret(`whsec_${base64(bytes)}`)).toBe(`whsec_${base64(bytes)}`);
    expect(normalSecret(base64(bytes))).toBe(`whsec_${base64(bytes)}`);
  });

  it.each([
    '',
    'whsec_',
    `whsec_${base64(23)}`,
    `whsec_${base64(65)}`,
    `whsec_${base64(32)} `,
    `whsec_!${base64(32)}`,
    'password'.repeat(3),
  ])('refuses %j', (text) => {
    expect(normalSecret(text)).toBeUndefined();
  });

  it('takes what the gateway makes', () => {
    const secret = newSecret();
    expect(normalSecret(secret)).toBe(secret);
    expect(newSecret()).not.toBe(secret);
  });
});
