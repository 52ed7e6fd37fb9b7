import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { META_SCHEME, metaChallenge } from '../../presets/meta';
import type { Query } from '../../presets/request/query';
import { type BodySignature, bodySignature } from '../../presets/signing/body-signature';
import { FacebookConfig } from './facebook.config';

/** The channel, its door, and the ledger's source of all that comes in here, of whatever platform of Meta's. */
export const FACEBOOK = 'facebook';

/** Checks who is asking: Meta's handshake when a callback URL is saved, and the signature of each webhook. */
@Injectable()
export class FacebookSignature {
  /**
   * @param header X-Hub-Signature-256.
   * @throws GatewayError `channel_not_configured`, `signature_missing`, `signature_invalid`.
   */
  readonly assertValid: BodySignature;

  constructor(private readonly config: FacebookConfig) {
    this.assertValid = bodySignature(META_SCHEME, config.appSecret, 'hookServer.facebook.appSecret');
  }

  /**
   * @returns The challenge, to be sent back alone.
   * @throws GatewayError `channel_not_configured`, `verify_token_mismatch`, `malformed_request`.
   */
  answerHandshake(query: Query): string {
    const { verifyToken } = this.config;
    if (verifyToken === null) throw new GatewayError('channel_not_configured', 'hookServer.facebook.verifyToken is not set');
    return metaChallenge(query, verifyToken);
  }
}
