import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'hk_';
const RANDOM_BYTES = 32;
/** Of the random part, to recognise a key by: 48 of its 256 bits. */
const SHOWN_CHARACTERS = 8;

export interface NewApiKey {
  /** Shown once and kept nowhere. */
  key: string;
  prefix: string;
  hash: string;
}

export function newApiKey(): NewApiKey {
  const key = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
  return { key, prefix: key.slice(0, PREFIX.length + SHOWN_CHARACTERS), hash: hashOf(key).toString('hex') };
}

/** A plain SHA-256 is enough: a key has 256 random bits, so there is nothing to guess. */
export const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
