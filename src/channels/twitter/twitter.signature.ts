import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { TWITTER_SCHEME, crcAnswer } from '../../presets/twitter';
import type { Query } from '../../presets/request/query';
import { type BodySignature, bodySignature } from '../../presets/signing/body-signature';
import { TwitterConfig } from './twitter.config';

/** The channel, its door, the ledger's source and the application of its events. */
export const TWITTER = 'twitter';

const SETTING = 'hookServer.twitter.consumerSecret';

/** Proves to the platform that the gateway has the consumer secret, and checks that webhooks are the platform's. */
@Injectable()
export class TwitterSignature {
  /**
   * @param header x-twitter-webhooks-signature.
   * @throws GatewayError `channel_not_configured`, `signature_missing`, `signature_invalid`.
   */
  readonly assertValid: BodySignature;

  constructor(private readonly config: TwitterConfig) {
    this.assertValid = bodySignature(TWITTER_SCHEME, config.consumerSecret, SETTING);
  }

  /**
   * @returns The `response_token` of a challenge-response check.
   * @throws GatewayError `channel_not_configured`, `malformed_request`.
   */
  answerCheck(query: Query): string {
    const [secret] = this.config.consumerSecret;
    if (secret === undefined) throw new GatewayError('channel_not_configured', `${SETTING} is not set`);
    return crcAnswer(query, secret);
  }
}
