import type { SignedRequest } from '../preset';
import type { KeyForm } from './key-form';

export type HmacAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512';
export type DigestEncoding = 'hex' | 'base64' | 'base64url';

/** What one signature is over: pieces, one after the other. */
export type SignedContent = readonly (string | Buffer)[];

/** When a request was signed. */
export interface TimestampRule {
  /** What holds it, such as `webhook-timestamp`. */
  title: string;
  /** As it was sent and signed: Unix seconds or milliseconds; undefined where there is none. */
  of(request: SignedRequest): string | undefined;
  /** How far it may be from now, past or future; exactly as far is allowed. */
  toleranceSeconds: number;
}

/** Where signatures stand and what they are over. */
export interface SignatureScheme {
  /** The first of them that was sent holds the signatures; spelled as the platform does. */
  headers: readonly [string, ...string[]];
  /** Before each signature, such as `sha256=`; may be empty. */
  prefix: string;
  /** Between several signatures of one header; absent: it holds one. */
  separator?: string;
  timestamp?: TimestampRule;
  /** What is signed, for people: "the body". */
  signs: string;
  /**
   * What may have been signed; likeliest first where senders differ, otherwise one.
   * @param timestamp As it was sent; empty without a rule.
   * @throws GatewayError `signature_missing`, `signature_invalid` where a part of it is missing.
   */
  contents(request: SignedRequest, timestamp: string): Iterable<SignedContent>;
}

/**
 * A keyed hash, as data: whoever looks for the reason of a refusal makes the same verifier with one thing changed, such as
 * `hmacVerifier({ ...scheme, encoding: 'base64' }, secrets)`, another `keyForm`, or another request.
 */
export interface HmacScheme extends SignatureScheme {
  algorithm: HmacAlgorithm;
  encoding: DigestEncoding;
  keyForm: KeyForm;
}
