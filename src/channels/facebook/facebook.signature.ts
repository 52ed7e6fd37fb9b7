import { Injectable } from '@nestjs/common';
import { type KeyObject, createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../core/errors';
import { FacebookConfig } from './facebook.config';

/** The channel, its door, and the ledger's source of all that comes in here, of whatever platform of Meta's. */
export const FACEBOOK = 'facebook';

/** Query parameters as they came: a doubled one is an array. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const SIGNATURE = /^sha256=([0-9a-f]{64})$/;
/** Meta calls it a number; any printable text will do, but not without end. */
const CHALLENGE = /^[\x20-\x7e]{1,512}$/;

/** Checks who is asking: Meta's handshake when a callback URL is saved, and the signature of each webhook. */
@Injectable()
export class FacebookSignature {
  private readonly keys: readonly KeyObject[];

  constructor(private readonly config: FacebookConfig) {
    this.keys = config.appSecret.map((secret) => createSecretKey(secret, 'utf8'));
  }

  /**
   * @param header X-Hub-Signature-256.
   * @throws GatewayError `channel_not_configured`, `signature_missing`, `signature_invalid`.
   */
  assertValid(body: Buffer, header: string | undefined): void {
    if (this.keys.length === 0) throw new GatewayError('channel_not_configured', 'hookServer.facebook.appSecret is not set');
    if (header === undefined || header === '') throw new GatewayError('signature_missing', 'There is no X-Hub-Signature-256');
    const hex = SIGNATURE.exec(header)?.[1];
    if (hex === undefined) throw new GatewayError('signature_invalid', 'X-Hub-Signature-256 is not "sha256=" and 64 hex digits');
    const given = Buffer.from(hex, 'hex');
    const isSigned = this.keys.some((key) => timingSafeEqual(createHmac('sha256', key).update(body).digest(), given));
    if (!isSigned) throw new GatewayError('signature_invalid', 'X-Hub-Signature-256 does not match the body');
  }

  /**
   * @returns The challenge, to be sent back alone.
   * @throws GatewayError `channel_not_configured`, `verify_token_mismatch`, `malformed_request`.
   */
  answerHandshake(query: Query): string {
    const { verifyToken } = this.config;
    if (verifyToken === null) throw new GatewayError('channel_not_configured', 'hookServer.facebook.verifyToken is not set');
    const token = single(query, 'hub.verify_token');
    const mode = single(query, 'hub.mode');
    const challenge = single(query, 'hub.challenge');
    if (token === undefined || !isSameText(token, verifyToken)) throw new GatewayError('verify_token_mismatch');
    if (mode !== 'subscribe') throw new GatewayError('verify_token_mismatch', 'The token is right, but hub.mode is not "subscribe"');
    if (challenge === undefined || !CHALLENGE.test(challenge)) {
      throw new GatewayError('malformed_request', 'hub.challenge must be 1 to 512 printable ASCII characters');
    }
    return challenge;
  }
}

function single(query: Query, name: string): string | undefined {
  const value = query[name];
  if (typeof value === 'object') throw new GatewayError('malformed_request', `${name} is given more than once`);
  return value;
}

/** Takes the same time whatever the two have in common, their lengths too. */
const isSameText = (one: string, other: string): boolean => timingSafeEqual(sha256(one), sha256(other));

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
