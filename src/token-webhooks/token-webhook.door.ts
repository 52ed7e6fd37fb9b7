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

  /** The webhook of a request's URL. @throws GatewayError `webhook_unknown`, `storage_unavailable`. */
  async find(target: string): Promise<KnownWebhook> {
    const { apiToken, token } = tokensOf(target);
    const webhook = await this.webhooks.find(apiToken, token);
    if (webhook === undefined) throw new GatewayError('webhook_unknown');
    return webhook;
  }

  /**
   * Resolves once it is published.
   * @throws GatewayError `unsupported_media_type`, `webhook_unknown`, `malformed_json`, `json_too_deep`, `broker_unavailable`,
   * `storage_unavailable`.
   */
  async receive({ requestId, receivedAt, target, body, ...request }: ReceivedRequest): Promise<void> {
    const contentType = headerOf(request, 'content-type') ?? '';
    if (!contentType.toLowerCase().includes('application/json')) {
      throw new GatewayError('unsupported_media_type', 'The Content-Type must contain application/json');
    }
    const { routingKey, tsField } = await this.find(target);
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
    const accountId = this.webhooks.ownerOf(tokensOf(target).token);
    return { source: WH, path: HIDDEN_PATH, ...(accountId !== undefined && { accountId }) };
  }
}

/** Of `/wh/<apiToken>/<token>?…`; empty where there is none. */
function tokensOf(target: string): { apiToken: string; token: string } {
  const [, , apiToken = '', token = ''] = (target.split('?', 1)[0] ?? '').split('/');
  return { apiToken: decodeURIComponent(apiToken), token };
}
