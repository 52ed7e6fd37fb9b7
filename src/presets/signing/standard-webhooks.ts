import { type KeyObject, createPublicKey, randomBytes } from 'node:crypto';
import { GatewayError } from '../../core/errors';
import { toleranceOf } from '../fields';
import type { PresetSettings, SignedRequest, Verifier } from '../preset';
import { headerOf } from '../request/header';
import { KEY_FORMS } from './key-form';
import type { HmacScheme } from './scheme';
import { ed25519Verifier, hmacVerifier } from './verifier';

/** What its headers are called before `-id`, `-timestamp` and `-signature`; a request is read by the first that it has. */
export type HeaderFamily = 'webhook' | 'svix';

const PUBLIC_KEY = /^whpk_([A-Za-z0-9+/]{43}=)$/;
/** Of an Ed25519 key in SubjectPublicKeyInfo, before its 32 bytes. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

export const isPublicKey = (secret: string): boolean => PUBLIC_KEY.test(secret);

/** Keyed hashes of version 1 of Standard Webhooks. */
export function standardScheme(settings: PresetSettings, families: readonly [HeaderFamily, ...HeaderFamily[]]): HmacScheme {
  const of = (request: SignedRequest, part: string): string | undefined => {
    const family = families.find((name) => headerOf(request, `${name}-signature`) !== undefined) ?? families[0];
    return headerOf(request, `${family}-${part}`);
  };
  const [first, ...others] = families;
  return {
    headers: [`${first}-signature`, ...others.map((name) => `${name}-signature`)],
    prefix: 'v1,',
    separator: ' ',
    algorithm: 'sha256',
    encoding: 'base64',
    keyForm: 'base64',
    timestamp: { title: `${first}-timestamp`, of: (request) => of(request, 'timestamp'), toleranceSeconds: toleranceOf(settings) },
    signs: 'id, timestamp and body',
    contents(request, timestamp) {
      const id = of(request, 'id');
      if (id === undefined) throw new GatewayError('signature_missing', `There is no ${first}-id`);
      // With a dot in it, id and timestamp could be cut apart in more than one way.
      if (id.includes('.')) throw new GatewayError('signature_invalid', `${first}-id has a dot in it`);
      return [[id, '.', timestamp, '.', request.body]];
    },
  };
}

/** Version 1 by the secrets, version 1a (Ed25519) by the public keys among them; one signature of either is enough. */
export function standardVerifier(scheme: HmacScheme, secrets: readonly string[]): Verifier {
  const shared = secrets.filter((secret) => !isPublicKey(secret));
  const keys = secrets.filter(isPublicKey).map(publicKeyOf);
  const v1 = hmacVerifier(scheme, shared);
  if (keys.length === 0) return v1;
  const v1a = ed25519Verifier({ ...scheme, prefix: 'v1a,' }, keys);
  if (shared.length === 0) return v1a;
  return {
    assertValid(request, nowMs) {
      try {
        return v1.assertValid(request, nowMs);
      } catch (error) {
        if (!(error instanceof GatewayError) || error.code !== 'signature_invalid') throw error;
        return v1a.assertValid(request, nowMs);
      }
    },
  };
}

const publicKeyOf = (secret: string): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_HEAD, Buffer.from(PUBLIC_KEY.exec(secret)![1]!, 'base64')]), format: 'der', type: 'spki' });

export const standardKey = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** Zeros are the same to HMAC as no key at all: anybody could sign. */
const isKey = (bytes: Buffer): boolean => bytes.some((byte) => byte !== 0);

/** Of a secret as `keyForm` `base64` reads it, or a public key. */
export const standardKeyProblem = (secret: string): string | undefined =>
  isPublicKey(secret) || (/^(whsec_)?[A-Za-z0-9+/_-]{4,}={0,2}$/.test(secret) && isKey(KEY_FORMS.base64(secret)))
    ? undefined
    : 'must be `whsec_` and base64, or `whpk_` and the 32 bytes of a public key in base64';
