import { Injectable } from '@nestjs/common';
import { type KeyObject, createSecretKey } from 'node:crypto';
import { GatewayError } from '../../core/errors';
import { assertSignedByWebex } from '../../core/webex-signature';
import { WebexConfig } from './webex.config';

/** The channel, its door, and the ledger's source of all that comes in here. */
export const WEBEX = 'webex';

/** Checks that a webhook was created with one of our secrets. */
@Injectable()
export class WebexSignature {
  private readonly keys: readonly KeyObject[];

  constructor(config: WebexConfig) {
    this.keys = config.secret.map((secret) => createSecretKey(secret, 'utf8'));
  }

  /**
   * @param header X-Spark-Signature; Webex sends none for a webhook that was created without a secret.
   * @throws GatewayError `channel_not_configured`, `signature_missing`, `signature_invalid`.
   */
  assertValid(body: Buffer, header: string | undefined): void {
    if (this.keys.length === 0) throw new GatewayError('channel_not_configured', 'hookServer.webex.secret is not set');
    assertSignedByWebex(body, header, this.keys);
  }
}
