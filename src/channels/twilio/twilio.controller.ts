import { Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { receivedOf } from '../../http/received-request';
import { TwilioDoor } from './twilio.door';
import { FORM_TYPE, JSON_TYPE } from './twilio.parser';
import { TWILIO } from './twilio.signature';

const XML = 'text/xml; charset=utf-8';
const SIGNATURE = { name: 'X-Twilio-Signature', description: 'HMAC-SHA1 of URL and parameters with the auth token, in base64' };
const IDEMPOTENCY = { name: 'I-Twilio-Idempotency-Token', required: false, description: 'The same for each attempt of one webhook' };

/** Twilio's own contract; docs/channels/twilio.md. Any of the paths may be given for several kinds of webhooks. */
@ApiTags('doors')
@ApiHeader(SIGNATURE)
@ApiHeader(IDEMPOTENCY)
@Controller('twilio')
export class TwilioController {
  constructor(private readonly door: TwilioDoor) {}

  @ApiOperation({ summary: 'Webhooks of Twilio: messages, status callbacks, calls, conversations' })
  @ApiConsumes(FORM_TYPE, JSON_TYPE)
  @ApiBody({ schema: { type: 'object' } })
  @Post(['', 'status', 'voice', 'conversations'])
  @HttpCode(200)
  @Door(TWILIO)
  @Accepts(FORM_TYPE, JSON_TYPE)
  @Header('content-type', XML)
  @Direct()
  receive(@Req() request: FastifyRequest): Promise<string> {
    return this.door.receive(receivedOf(request));
  }

  @ApiOperation({ summary: 'The same from a webhook that is set to HTTP GET' })
  @Get(['', 'status', 'voice', 'conversations'])
  @HttpCode(200)
  @Door(TWILIO)
  @Header('content-type', XML)
  @Header('cache-control', 'no-store')
  @Direct()
  receiveByGet(@Req() request: FastifyRequest): Promise<string> {
    return this.door.receive(receivedOf(request));
  }

  @ApiOperation({ summary: 'Twilio’s Event Streams: CloudEvents, one or a list' })
  @ApiBody({ schema: { type: 'array', items: { type: 'object' } } })
  @Post('events')
  @HttpCode(200)
  @Door(TWILIO)
  @Accepts(JSON_TYPE)
  @Header('content-type', XML)
  @Direct()
  receiveJson(@Req() request: FastifyRequest): Promise<string> {
    return this.door.receive(receivedOf(request));
  }
}
