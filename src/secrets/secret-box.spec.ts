import { randomBytes } from 'node:crypto';
import { SecretBox } from './secret-box';
import { parseKey, secretKey } from './secret-key';

const OLD = secretKey(Buffer.alloc(32, 1));
const NEW = secretKey(Buffer.alloc(32, 2));
const box = new SecretBox([NEW, OLD]);
const CONTEXT = 'endpoints.secret of 1';

describe('SecretBox', () => {
  it.each(['whsec_abc', '', '{"x":"ü€"}', 'x'.repeat(10_000)])('opens what it sealed: %#', (text) => {
    expect(box.open(box.seal(text, CONTEXT), CONTEXT)).toBe(text);
  });

  it('shows nothing but the key’s id, and never seals twice alike', () => {
    const sealed = box.seal('whsec_abc', CONTEXT);
    expect(sealed).toMatch(new RegExp(`^enc:v1:${NEW.id}:[A-Za-z0-9+/]+=*$`));
    expect(box.seal('whsec_abc', CONTEXT)).not.toBe(sealed);
  });

  it('opens with every key and seals with the first', () => {
    const before = new SecretBox([OLD]).seal('x', CONTEXT);
    expect(box.open(before, CONTEXT)).toBe('x');
    expect(box.keyId).toBe(NEW.id);
    expect(() => new SecretBox([OLD]).open(box.seal('x', CONTEXT), CONTEXT)).toThrow('not among secrets.encryptionKeys');
  });

  it('opens nothing in another row or column', () => {
    const sealed = box.seal('x', CONTEXT);
    for (const context of ['endpoints.secret of 2', 'endpoints.auth of 1', '']) {
      expect(() => box.open(sealed, context)).toThrow(`The sealed ${context} cannot be opened`);
    }
  });

  it('opens nothing that was changed, wherever', () => {
    const sealed = box.seal('whsec_abc', CONTEXT);
    const start = sealed.lastIndexOf(':') + 1;
    const bytes = Buffer.from(sealed.slice(start), 'base64');
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] as number) ^ 1;
      expect(() => box.open(sealed.slice(0, start) + changed.toString('base64'), CONTEXT)).toThrow('was changed');
    }
    for (const cut of ['', 'AAAA', bytes.subarray(0, 27).toString('base64'), bytes.subarray(0, -1).toString('base64')]) {
      expect(() => box.open(sealed.slice(0, start) + cut, CONTEXT)).toThrow('was changed');
    }
  });

  it.each(['enc:v1:', 'enc:v1:0', `enc:v1:${NEW.id}`, 'enc:v1:nokey:AAAA'])('refuses %j with a code', (text) => {
    expect(() => box.open(text, CONTEXT)).toThrow(expect.objectContaining({ code: 'secret_unreadable' }));
  });

  it('leaves what is not sealed as it is', () => {
    expect(box.open('whsec_plain', CONTEXT)).toBe('whsec_plain');
  });
});

describe('parseKey', () => {
  const bytes = randomBytes(32);

  it.each([
    ['hex', bytes.toString('hex')],
    ['upper case hex', bytes.toString('hex').toUpperCase()],
    ['base64', bytes.toString('base64')],
    ['base64url', bytes.toString('base64url')],
  ])('reads %s', (_, text) => {
    expect(parseKey(text)?.equals(bytes)).toBe(true);
  });

  it.each([
    '',
    'secret',
    randomBytes(31).toString('hex'),
    randomBytes(33).toString('base64'),
    randomBytes(16).toString('base64'),
    'x'.repeat(45),
  ])('does not take %j', (text) => {
    expect(parseKey(text)).toBeUndefined();
  });
});
