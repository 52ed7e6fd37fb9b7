import { createHash, createSecretKey, type KeyObject } from 'node:crypto';

const KEY_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/** One key of AES-256. Its id tells which key sealed a text, and nothing about the key. */
export interface SecretKey {
  id: string;
  key: KeyObject;
}

/** 32 bytes in hex or base64 (the URL form too); undefined when it is neither. */
export function parseKey(text: string): Buffer | undefined {
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  const bytes = BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
  return bytes?.length === KEY_BYTES ? bytes : undefined;
}

export const secretKey = (bytes: Buffer): SecretKey => ({
  id: createHash('sha256').update('hookline key id\0').update(bytes).digest('hex').slice(0, 12),
  key: createSecretKey(bytes),
});
