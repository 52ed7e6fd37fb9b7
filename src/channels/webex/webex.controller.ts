import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { receivedOf } from '../../http/received-request';
import { WebexDoor } from './webex.door';
import { WEBEX } from './webex.signature';

/** The platform's own contract; docs/channels/webex.md. */
@ApiTags('doors')
@Controller('webex')
export class WebexController {
  constructor(private readonly door: WebexDoor) {}

  @ApiOperation({ summary: 'Webhooks of Webex' })
  @ApiHeader({ name: 'X-Spark-Signature', description: 'The HMAC-SHA1 of the body with the webhook’s secret, in hex' })
  @ApiBody({ schema: { type: 'object' } })
  @Post()
  @HttpCode(200)
  @Door(WEBEX)
  @Accepts('application/json')
  @Direct()
  receive(@Req() request: FastifyRequest): Promise<string> {
    return this.door.receive(receivedOf(request));
  }
}
