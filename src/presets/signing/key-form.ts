const PREFIX = 'whsec_';

const withoutPrefix = (secret: string): string => (secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);

/** How the bytes of a key are written as the text of a secret. */
export const KEY_FORMS = {
  /** The characters themselves, of a prefix `whsec_` too (Stripe). */
  text: (secret: string): Buffer => Buffer.from(secret),
  /** Base64 after a prefix `whsec_`, which may be missing (Standard Webhooks). */
  base64: (secret: string): Buffer => Buffer.from(withoutPrefix(secret), 'base64'),
  /** Hex digits. */
  hex: (secret: string): Buffer => Buffer.from(secret, 'hex'),
  /** The characters after a prefix `whsec_`: what a wrong key often is. */
  'text-without-prefix': (secret: string): Buffer => Buffer.from(withoutPrefix(secret)),
  /** The characters, after `<AccountSid>:` where the token is one account's (Twilio). */
  'account-token': (secret: string): Buffer => Buffer.from(secret.replace(/^AC[0-9A-Za-z]+:/, '')),
} as const satisfies Record<string, (secret: string) => Buffer>;

export type KeyForm = keyof typeof KEY_FORMS;
