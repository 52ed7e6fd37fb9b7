import { Injectable } from '@nestjs/common';
import { ENRICH_EXCHANGE } from '../broker/topology';
import { ChannelInbox } from '../channels/channel';
import { GatewayError } from '../core/errors';
import { checkedJson } from '../core/json-slice';
import type { RefusedAt } from '../http/door';
import { headerOf } from '../http/raw-body';
import type { ReceivedRequest } from '../http/received-request';
import { type KnownWebhook, KnownWebhooks } from './known-webhooks';
import { ROUTING_KEY, TS_FIELD, TS_FIELD_HEADER } from './reading/token-webhook.reader';

/** Also the ledger's source. */
export const WH = 'wh';

const HIDDEN_PATH = '/wh/***';
/** Of a message's property in AMQP. */
const MAX_CONTENT_TYPE_BYTES = 255;

/** Takes in what is sent to the URLs of token webhooks. */
@Injectable()
export class TokenWebhookDoor {
  constructor(
    private readonly webhooks: KnownWebhooks,
    private readonly inbox: ChannelInbox,
  ) {}

  /** @throws GatewayError `webhook_unknown`, `storage_unavailable`. */
  async find(apiToken: string, token: string): Promise<KnownWebhook> {
    const webhook = await this.webhooks.find(apiToken, token);
    if (webhook === undefined) throw new GatewayError('webhook_unknown');
    return webhook;
  }

  /**
   * Resolves once it is published.
   * @throws GatewayError `unsupported_media_type`, `webhook_unknown`, `malformed_json`, `json_too_deep`, `broker_unavailable`.
   */
  async receive({ requestId, receivedAt, body, ...request }: ReceivedRequest, apiToken: string, token: string): Promise<void> {
    const contentType = headerOf(request, 'content-type') ?? '';
    if (!contentType.toLowerCase().includes('application/json')) {
      throw new GatewayError('unsupported_media_type', 'The Content-Type must contain application/json');
    }
    const { routingKey, tsField } = await this.find(apiToken, token);
    checkedJson(body);
    const attributes = { [ROUTING_KEY]: routingKey, ...(tsField !== null && { [TS_FIELD]: tsField }) };
    await this.inbox.publish(
      WH,
      {
        exchange: ENRICH_EXCHANGE,
        routingKey,
        ...(Buffer.byteLength(contentType) <= MAX_CONTENT_TYPE_BYTES && { contentType }),
        ...(tsField !== null && { headers: { [TS_FIELD_HEADER]: tsField } }),
      },
      { requestId, receivedAt, contentType, body, attributes },
    );
  }

  /** Tokens are not listed. */
  describe({ target }: ReceivedRequest): RefusedAt {
    const token = target.split('?', 1)[0]?.split('/')[3];
    const accountId = token === undefined ? undefined : this.webhooks.ownerOf(token);
    return { source: WH, path: HIDDEN_PATH, ...(accountId !== undefined && { accountId }) };
  }
}
