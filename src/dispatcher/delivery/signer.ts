import { type KeyObject, createHmac, createSecretKey } from 'node:crypto';

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
  const head = `${id}.${timestamp}.`;
  const { secret, previousSecret, previousSecretUntil } = secrets;
  let signature = `v1,${sign(head, body, secret)}`;
  if (previousSecret !== null && (previousSecretUntil ?? 0) > nowMs) signature += ` v1,${sign(head, body, previousSecret)}`;
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
}

const sign = (head: string, body: Buffer, secret: string): string =>
  createHmac('sha256', keyOf(secret)).update(head).update(body).digest('base64');

/** Keys of the secrets that were used of late; what they are made of is in memory anyway. */
const keys = new Map<string, KeyObject>();
const MAX_KEYS = 10_000;

function keyOf(secret: string): KeyObject {
  let key = keys.get(secret);
  if (key === undefined) {
    if (keys.size >= MAX_KEYS) keys.clear();
    key = createSecretKey(Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64'));
    keys.set(secret, key);
  }
  return key;
}
