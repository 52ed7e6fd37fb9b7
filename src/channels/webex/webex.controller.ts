import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { bodyOf, headerOf } from '../../http/raw-body';
import { ChannelInbox } from '../channel';
import { openEnvelope } from './webex.envelope';
import { WEBEX, WebexSignature } from './webex.signature';

export const WEBEX_QUEUE = 'webhooks.webex.default';

/** The platform's own contract; docs/channels/webex.md. */
@ApiTags('doors')
@Controller('webex')
export class WebexController {
  constructor(
    private readonly signature: WebexSignature,
    private readonly inbox: ChannelInbox,
  ) {}

  @ApiOperation({ summary: 'Webhooks of Webex' })
  @ApiHeader({ name: 'X-Spark-Signature', description: 'The HMAC-SHA1 of the body with the webhook’s secret, in hex' })
  @ApiBody({ schema: { type: 'object' } })
  @Post()
  @HttpCode(200)
  @Door(WEBEX)
  @Accepts('application/json')
  @Direct()
  async receive(@Req() request: FastifyRequest): Promise<string> {
    const receivedAt = Date.now();
    const body = bodyOf(request);
    this.signature.assertValid(body, headerOf(request, 'x-spark-signature'));
    openEnvelope(body);
    const contentType = request.headers['content-type'] ?? 'application/json';
    await this.inbox.enqueue(WEBEX, WEBEX_QUEUE, { requestId: request.id, receivedAt, contentType, body });
    return '';
  }
}
