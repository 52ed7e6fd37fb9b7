import { Controller, Get, Header, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { receivedOf } from '../../http/received-request';
import type { Query as HandshakeQuery } from '../../presets/request/query';
import { FacebookDoor } from './facebook.door';
import { FACEBOOK, FacebookSignature } from './facebook.signature';

const TEXT = 'text/plain; charset=utf-8';

/** Meta's own contract; docs/channels/facebook.md. */
@ApiTags('doors')
@Controller('facebook')
export class FacebookController {
  constructor(
    private readonly signature: FacebookSignature,
    private readonly door: FacebookDoor,
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
  receive(@Req() request: FastifyRequest): Promise<string> {
    return this.door.receive(receivedOf(request));
  }
}
