import { createHmac } from 'node:crypto';

/** What an endpoint signs with. */
export interface SigningSecrets {
  /** `whsec_` and base64. */
  secret: string;
  previousSecret: string | null;
  /** Until when the previous secret signs beside the present one, in milliseconds since 1970. */
  previousSecretUntil: number | null;
}

export interface SignatureHeaders {
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

const PREFIX = 'whsec_';

/** Headers of Standard Webhooks v1 for one attempt; during a rotation the receiver may verify with either secret. */
export function signatureHeaders(id: string, body: Buffer, secrets: SigningSecrets, nowMs: number): SignatureHeaders {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const rotates = secrets.previousSecret !== null && (secrets.previousSecretUntil ?? 0) > nowMs;
  const live = rotates ? [secrets.secret, secrets.previousSecret as string] : [secrets.secret];
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': live.map((secret) => `v1,${sign(`${id}.${timestamp}.`, body, secret)}`).join(' '),
  };
}

const sign = (head: string, body: Buffer, secret: string): string =>
  createHmac('sha256', keyOf(secret)).update(head).update(body).digest('base64');

const keyOf = (secret: string): Buffer => Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
