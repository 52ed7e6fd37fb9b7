import { randomBytes } from 'node:crypto';

const BYTES = 32;

const text = (): string => randomBytes(BYTES).toString('base64url');
const whsec = (): string => `whsec_${randomBytes(BYTES).toString('base64')}`;

/** Types whose secret is made on our side and entered on the other; the others' platforms make it themselves. */
const MAKERS: Readonly<Record<string, () => string>> = {
  github: text,
  gitlab: text,
  webex: text,
  hmac: text,
  basic: text,
  bearer: text,
  'api-key': text,
  'standard-webhooks': whsec,
};

/** A new secret for a source of that type; undefined where it is not ours to choose. */
export const newSecret = (type: string): string | undefined => MAKERS[type]?.();
