import { Injectable, Logger } from '@nestjs/common';
import type { IncomingRequest } from '../../../core/hook-event';
import { IdentityCredentials } from '../../../dispatcher/registry/identity-credentials';
import { TWITTER } from '../twitter.signature';

/** A user that takes the app's permission back is unsubscribed by the platform, and its token is void: nothing is tried with it again. */
@Injectable()
export class Revocations {
  private readonly logger = new Logger(Revocations.name);

  constructor(private readonly credentials: IdentityCredentials) {}

  /** Of requests that may come again. @throws GatewayError `storage_unavailable`. */
  async follow(requests: readonly IncomingRequest[]): Promise<void> {
    for (const { events, receivedAt } of requests) {
      for (const { eventType, identity, timestamp } of events) {
        if (eventType !== 'user_revoke' || identity === undefined) continue;
        // A token that was given since is of a new permission.
        const revokedAt = timestamp === undefined ? receivedAt : Date.parse(timestamp);
        const isGone = await this.credentials.forget(TWITTER, identity.externalId, revokedAt);
        if (isGone) this.logger.log(`User ${identity.externalId} of X has taken the permission back: its token is dropped`);
      }
    }
  }
}
