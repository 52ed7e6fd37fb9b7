import { Controller, Get, Header, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { bodyOf, headerOf } from '../../http/raw-body';
import { ChannelInbox } from '../channel';
import { readPageLoads } from './facebook.envelope';
import { FacebookLanes, QUEUE_OF_LANE } from './facebook.lanes';
import { FACEBOOK, FacebookSignature, type Query as HandshakeQuery } from './facebook.signature';

const TEXT = 'text/plain; charset=utf-8';

/** Meta's own contract; docs/channels/facebook.md. */
@ApiTags('doors')
@Controller('facebook')
export class FacebookController {
  constructor(
    private readonly signature: FacebookSignature,
    private readonly lanes: FacebookLanes,
    private readonly inbox: ChannelInbox,
  ) {}

  @ApiOperation({ summary: 'Meta’s handshake: the challenge is the answer' })
  @Get()
  @Door(FACEBOOK)
  @Header('content-type', TEXT)
  verify(@Query() query: HandshakeQuery): string {
    return this.signature.answerHandshake(query);
  }

  @ApiOperation({ summary: 'Webhooks of Facebook, Instagram and WhatsApp' })
  @ApiHeader({ name: 'X-Hub-Signature-256', description: '`sha256=` and the HMAC of the body with the app secret, in hex' })
  @ApiBody({ schema: { type: 'object' } })
  @Post()
  @HttpCode(200)
  @Door(FACEBOOK)
  @Accepts('application/json')
  @Direct()
  async receive(@Req() request: FastifyRequest): Promise<string> {
    const receivedAt = Date.now();
    const body = bodyOf(request);
    this.signature.assertValid(body, headerOf(request, 'x-hub-signature-256'));
    const lane = this.lanes.choose(readPageLoads(body));
    const contentType = request.headers['content-type'] ?? 'application/json';
    await this.inbox.enqueue(FACEBOOK, QUEUE_OF_LANE[lane], { requestId: request.id, receivedAt, contentType, body });
    return 'EVENT_RECEIVED';
  }
}
