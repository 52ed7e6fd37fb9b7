import { Injectable } from '@nestjs/common';
import { headerOf } from '../../http/raw-body';
import type { ReceivedRequest } from '../../http/received-request';
import { ChannelInbox } from '../channel';
import { openEnvelope } from './webex.envelope';
import { WEBEX, WebexSignature } from './webex.signature';

export const WEBEX_QUEUE = 'webhooks.webex.default';

/** What becomes of a webhook, whether it comes now or was refused before. */
@Injectable()
export class WebexDoor {
  constructor(
    private readonly signature: WebexSignature,
    private readonly inbox: ChannelInbox,
  ) {}

  /** @returns the answer. @throws GatewayError */
  async receive(request: ReceivedRequest): Promise<string> {
    const { requestId, receivedAt, body } = request;
    this.signature.assertValid(body, headerOf(request, 'x-spark-signature'));
    openEnvelope(body);
    const contentType = request.headers['content-type'] ?? 'application/json';
    await this.inbox.enqueue(WEBEX, WEBEX_QUEUE, { requestId, receivedAt, contentType, body });
    return '';
  }
}
