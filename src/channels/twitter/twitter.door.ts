import { Injectable } from '@nestjs/common';
import { headerOf } from '../../http/raw-body';
import type { ReceivedRequest } from '../../http/received-request';
import { ChannelInbox } from '../channel';
import { assertEnvelope } from './twitter.envelope';
import { TWITTER, TwitterSignature } from './twitter.signature';

export const TWITTER_QUEUE = 'webhooks.twitter.default';

/** What becomes of a webhook, whether it comes now or was refused before. */
@Injectable()
export class TwitterDoor {
  constructor(
    private readonly signature: TwitterSignature,
    private readonly inbox: ChannelInbox,
  ) {}

  /** @returns the answer. @throws GatewayError */
  async receive(request: ReceivedRequest): Promise<string> {
    const { requestId, receivedAt, body } = request;
    this.signature.assertValid(body, headerOf(request, 'x-twitter-webhooks-signature'));
    assertEnvelope(body);
    const contentType = request.headers['content-type'] ?? 'application/json';
    await this.inbox.enqueue(TWITTER, TWITTER_QUEUE, { requestId, receivedAt, contentType, body });
    return '';
  }
}
