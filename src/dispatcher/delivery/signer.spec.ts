import { Webhook } from 'standardwebhooks';
import { signatureHeaders } from './signer';

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const BODY = Buffer.from('{"amount":12345678901234567890,"text":"\\u0000 ünïcödé"}');
const ID = '019346a0-0000-7000-8000-000000000001';

const verifies = (secret: string, body: Buffer, headers: object): boolean => {
  try {
    new Webhook(secret).verify(body.toString(), { ...headers });
    return true;
  } catch {
    return false;
  }
};

describe('signatureHeaders', () => {
  const only = { secret: secretOf(1), previousSecret: null, previousSecretUntil: null };

  it('is what the standardwebhooks package verifies', () => {
    const headers = signatureHeaders(ID, BODY, only, Date.now());
    expect(headers['webhook-id']).toBe(ID);
    expect(headers['webhook-signature']).toBe(new Webhook(secretOf(1)).sign(ID, new Date(), BODY.toString()));
    expect(verifies(secretOf(1), BODY, headers)).toBe(true);
  });

  it('fails to verify with another secret or another body', () => {
    const headers = signatureHeaders(ID, BODY, only, Date.now());
    expect(verifies(secretOf(2), BODY, headers)).toBe(false);
    expect(verifies(secretOf(1), Buffer.from('{}'), headers)).toBe(false);
  });

  it.each([
    { title: 'both during a rotation', untilMs: 60_000, old: true },
    { title: 'the new one after it', untilMs: -1, old: false },
    { title: 'the new one when no end is known', untilMs: null, old: false },
  ])('verifies with $title', ({ untilMs, old }) => {
    const nowMs = Date.now();
    const secrets = {
      secret: secretOf(1),
      previousSecret: secretOf(2),
      previousSecretUntil: untilMs === null ? null : nowMs + untilMs,
    };
    const headers = signatureHeaders(ID, BODY, secrets, nowMs);
    expect(verifies(secretOf(1), BODY, headers)).toBe(true);
    expect(verifies(secretOf(2), BODY, headers)).toBe(old);
  });

  it('takes a secret without its prefix', () => {
    const bare = secretOf(3).slice('whsec_'.length);
    expect(verifies(secretOf(3), BODY, signatureHeaders(ID, BODY, { ...only, secret: bare }, Date.now()))).toBe(true);
  });
});
