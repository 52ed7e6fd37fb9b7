import { type KeyObject, createHmac, createSecretKey, timingSafeEqual, verify } from 'node:crypto';
import { GatewayError } from '../../core/errors';
import type { SignedRequest, Verifier } from '../preset';
import { headerOf } from '../request/header';
import { KEY_FORMS } from './key-form';
import type { DigestEncoding, HmacAlgorithm, HmacScheme, SignatureScheme, SignedContent } from './scheme';
import { assertTimely, signedTimestamp } from './timestamp';

/** Signatures of one header that are tried; those after them are not. */
const MAX_SIGNATURES = 16;

const DIGEST_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** A keyed hash. @param secrets Their keys are made here, once; a signature by any of them counts. */
export function hmacVerifier(scheme: HmacScheme, secrets: readonly string[]): Verifier {
  const keys = secrets.map((secret) => hmacKey(scheme, secret));
  return verifierOf(scheme, keys.length, (content, given) => keys.some((key) => isHmac(scheme, key, content, given)), shapeOf(scheme));
}

/** Ed25519; signatures are base64. @param keys Public ones. */
export function ed25519Verifier(scheme: SignatureScheme, keys: readonly KeyObject[]): Verifier {
  const isSigned: Check = (content, given) => {
    const bytes = Buffer.concat(content.map((piece) => Buffer.from(piece)));
    return keys.some((key) => given.some((signature) => verify(null, bytes, key, Buffer.from(signature, 'base64'))));
  };
  return verifierOf(scheme, keys.length, isSigned, { pattern: /^[A-Za-z0-9+/]{86}==$/, title: '64 bytes in base64' });
}

export const hmacKey = (scheme: HmacScheme, secret: string): KeyObject => createSecretKey(KEY_FORMS[scheme.keyForm](secret));

/** Whether one of the given signatures is the content's. They are compared as texts, of which a digest has one. */
export function isHmac(scheme: HmacScheme, key: KeyObject, content: SignedContent, given: readonly string[]): boolean {
  const hmac = createHmac(scheme.algorithm, key);
  for (const piece of content) hmac.update(piece);
  const expected = Buffer.from(hmac.digest(scheme.encoding), 'latin1');
  return given.some((signature) => timingSafeEqual(Buffer.from(signature, 'latin1'), expected));
}

/** Gives the signatures of a request; it throws GatewayError `signature_missing`, `signature_invalid`. */
export const hmacReader = (scheme: HmacScheme): SignatureReader => readerOf(scheme, shapeOf(scheme));

type SignatureReader = (request: Pick<SignedRequest, 'headers'>) => string[];

type Check = (content: SignedContent, given: readonly string[]) => boolean;

interface Shape {
  pattern: RegExp;
  /** For people. */
  title: string;
}

function verifierOf(scheme: SignatureScheme, keyCount: number, isSigned: Check, shape: Shape): Verifier {
  const signaturesOf = readerOf(scheme, shape);
  return {
    assertValid(request, nowMs) {
      if (keyCount === 0) throw new GatewayError('channel_not_configured', 'There is no secret');
      const given = signaturesOf(request);
      const timestamp = signedTimestamp(scheme.timestamp, request);
      for (const content of scheme.contents(request, timestamp)) {
        if (!isSigned(content, given)) continue;
        assertTimely(scheme.timestamp, timestamp, nowMs);
        return undefined;
      }
      throw new GatewayError('signature_invalid', `${scheme.headers[0]} does not match ${scheme.signs}`);
    },
  };
}

function readerOf({ headers, prefix, separator }: SignatureScheme, { pattern, title }: Shape): SignatureReader {
  const names = headers.map((header) => header.toLowerCase());
  const wanted = `${separator === undefined ? 'is not' : 'has no'} ${prefix === '' ? '' : `"${prefix}" and `}${title}`;
  return (request) => {
    const text = headerOf(request, ...names);
    if (text === undefined) throw new GatewayError('signature_missing', `There is no ${headers[0]}`);
    const given: string[] = [];
    for (const part of separator === undefined ? [text] : text.split(separator)) {
      const signature = part.startsWith(prefix) ? part.slice(prefix.length) : '';
      if (pattern.test(signature) && given.push(signature) === MAX_SIGNATURES) break;
    }
    if (given.length === 0) throw new GatewayError('signature_invalid', `${headers[0]} ${wanted}`);
    return given;
  };
}

const shapeOf = ({ algorithm, encoding }: HmacScheme): Shape => SHAPES[encoding](DIGEST_BYTES[algorithm]);

const SHAPES: Readonly<Record<DigestEncoding, (bytes: number) => Shape>> = {
  hex: (bytes) => ({ pattern: new RegExp(`^[0-9a-f]{${String(bytes * 2)}}$`), title: `${String(bytes * 2)} hex digits in lower case` }),
  base64: (bytes) => {
    const padding = (3 - (bytes % 3)) % 3;
    const characters = Math.ceil((bytes * 4) / 3);
    return {
      pattern: new RegExp(`^[A-Za-z0-9+/]{${String(characters)}}={${String(padding)}}$`),
      title: `${String(bytes)} bytes in base64`,
    };
  },
  base64url: (bytes) => ({
    pattern: new RegExp(`^[\\w-]{${String(Math.ceil((bytes * 4) / 3))}}$`),
    title: `${String(bytes)} bytes in base64url`,
  }),
};
