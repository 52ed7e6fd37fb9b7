import { Injectable } from '@nestjs/common';
import { headerOf } from '../../http/raw-body';
import type { ReceivedRequest } from '../../http/received-request';
import { ChannelInbox } from '../channel';
import { readPageLoads } from './facebook.envelope';
import { FacebookLanes, QUEUE_OF_LANE } from './facebook.lanes';
import { FACEBOOK, FacebookSignature } from './facebook.signature';

/** What becomes of a webhook, whether it comes now or was refused before. */
@Injectable()
export class FacebookDoor {
  constructor(
    private readonly signature: FacebookSignature,
    private readonly lanes: FacebookLanes,
    private readonly inbox: ChannelInbox,
  ) {}

  /** @returns the answer. @throws GatewayError */
  async receive(request: ReceivedRequest): Promise<string> {
    const { requestId, receivedAt, body } = request;
    this.signature.assertValid(body, headerOf(request, 'x-hub-signature-256'));
    const lane = this.lanes.choose(readPageLoads(body));
    const contentType = request.headers['content-type'] ?? 'application/json';
    await this.inbox.enqueue(FACEBOOK, QUEUE_OF_LANE[lane], { requestId, receivedAt, contentType, body });
    return 'EVENT_RECEIVED';
  }
}
