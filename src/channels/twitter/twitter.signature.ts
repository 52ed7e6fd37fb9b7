import { Injectable } from '@nestjs/common';
import { type KeyObject, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../core/errors';
import { TwitterConfig } from './twitter.config';

/** The channel, its door, the ledger's source and the application of its events. */
export const TWITTER = 'twitter';

/** Query parameters as they came: a doubled one is an array. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const SIGNATURE = /^sha256=([A-Za-z0-9+/]{43}=)$/;
/**
 * The answer to a check is made with the key that signs webhooks: whoever could have a JSON object "checked" would hold its signature.
 * No object can be written with these characters.
 */
const CRC_TOKEN = /^[A-Za-z0-9 +/=_.-]{1,200}$/;

/** Proves to the platform that the gateway has the consumer secret, and checks that webhooks are the platform's. */
@Injectable()
export class TwitterSignature {
  private readonly keys: readonly KeyObject[];

  constructor(config: TwitterConfig) {
    this.keys = config.consumerSecret.map((secret) => createSecretKey(secret, 'utf8'));
  }

  /**
   * @param header x-twitter-webhooks-signature.
   * @throws GatewayError `channel_not_configured`, `signature_missing`, `signature_invalid`.
   */
  assertValid(body: Buffer, header: string | undefined): void {
    if (this.keys.length === 0) throw notConfigured();
    if (header === undefined || header === '') throw new GatewayError('signature_missing', 'There is no x-twitter-webhooks-signature');
    const base64 = SIGNATURE.exec(header)?.[1];
    if (base64 === undefined) {
      throw new GatewayError('signature_invalid', 'x-twitter-webhooks-signature is not "sha256=" and 32 bytes in base64');
    }
    const given = Buffer.from(base64, 'base64');
    const isSigned = this.keys.some((key) => timingSafeEqual(createHmac('sha256', key).update(body).digest(), given));
    if (!isSigned) throw new GatewayError('signature_invalid', 'x-twitter-webhooks-signature does not match the body');
  }

  /**
   * @returns The `response_token` of a challenge-response check.
   * @throws GatewayError `channel_not_configured`, `malformed_request`.
   */
  answerCheck({ crc_token: token }: Query): string {
    const [key] = this.keys;
    if (key === undefined) throw notConfigured();
    if (typeof token !== 'string' || !CRC_TOKEN.test(token)) {
      throw new GatewayError('malformed_request', 'crc_token must be given once: 1 to 200 letters, digits, spaces or +/=_.-');
    }
    return `sha256=${createHmac('sha256', key).update(token).digest('base64')}`;
  }
}

const notConfigured = (): GatewayError => new GatewayError('channel_not_configured', 'hookServer.twitter.consumerSecret is not set');
