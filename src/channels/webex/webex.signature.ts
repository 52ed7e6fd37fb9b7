import { Injectable } from '@nestjs/common';
import { type BodySignature, bodySignature } from '../../presets/signing/body-signature';
import { WEBEX_SCHEME } from '../../presets/webex';
import { WebexConfig } from './webex.config';

/** The channel, its door, and the ledger's source of all that comes in here. */
export const WEBEX = 'webex';

/** Checks that a webhook was created with one of our secrets. */
@Injectable()
export class WebexSignature {
  /**
   * @param header X-Spark-Signature; Webex sends none for a webhook that was created without a secret.
   * @throws GatewayError `channel_not_configured`, `signature_missing`, `signature_invalid`.
   */
  readonly assertValid: BodySignature;

  constructor(config: WebexConfig) {
    this.assertValid = bodySignature(WEBEX_SCHEME, config.secret, 'hookServer.webex.secret');
  }
}
