import { endpointRow } from '../../../test/support/registry-rows';
import { testBox } from '../../../test/support/secret-box';
import { SecretBox } from '../../secrets/secret-box';
import { secretKey } from '../../secrets/secret-key';
import { faultOf, fromRow, readable, toRow } from './endpoint-record';

const plain = endpointRow({
  headers: '{"x-a":"1"}',
  auth: '{"type":"bearer","token":"t"}',
  previous_secret: 'whsec_old',
  previous_secret_until: 5,
});
const sealed = toRow(fromRow(plain, testBox), testBox);
const NEEDLES = ['whsec_', '"1"', 'x-a', 'bearer'];

describe('an endpoint’s row', () => {
  it('holds nothing readable of what is sealed, and everything comes back', () => {
    for (const needle of NEEDLES) expect(JSON.stringify(sealed)).not.toContain(needle);
    expect(fromRow(sealed, testBox)).toMatchObject({
      secret: plain.secret,
      previousSecret: 'whsec_old',
      auth: { type: 'bearer', token: 't' },
      headers: { 'x-a': '1' },
    });
  });

  it('has empty headers as they are', () => {
    expect(toRow(fromRow(endpointRow(), testBox), testBox).headers).toBe('{}');
  });

  it('is opened once, when it is first needed', () => {
    let openedTexts = 0;
    const counting = { open: (text: string, context: string) => (openedTexts++, testBox.open(text, context)) } as unknown as SecretBox;
    const endpoint = fromRow(sealed, counting);
    expect(endpoint.url).toBe(plain.url);
    expect(openedTexts).toBe(0);
    expect([endpoint.secret, endpoint.headers, endpoint.secret, endpoint.auth]).toHaveLength(4);
    expect(openedTexts).toBe(3);
  });

  it('does not open in another endpoint’s place, nor without its key', () => {
    const moved = fromRow({ ...sealed, id: endpointRow().id }, testBox);
    expect(moved.url).toBe(plain.url);
    expect(() => moved.secret).toThrow(expect.objectContaining({ code: 'secret_unreadable' }));
    const swapped = fromRow({ ...sealed, secret: sealed.previous_secret as string }, testBox);
    expect(() => swapped.secret).toThrow(expect.objectContaining({ code: 'secret_unreadable' }));
    const keyless = fromRow(sealed, new SecretBox([secretKey(Buffer.alloc(32, 9))]));
    expect(() => keyless.auth).toThrow('not among secrets.encryptionKeys');
  });

  it('has a fault where a column does not open, and what is sound of it opens', () => {
    expect(faultOf(fromRow(sealed, testBox))).toBeNull();
    const endpoint = fromRow({ ...sealed, auth: sealed.secret }, testBox);
    expect(faultOf(endpoint)).toBe('secret_unreadable');
    expect([readable(() => endpoint.auth), endpoint.headers, endpoint.secret]).toEqual([undefined, { 'x-a': '1' }, plain.secret]);
    expect(faultOf(fromRow({ ...sealed, headers: '{"x-a' }, testBox))).toBe('secret_unreadable');
  });
});
