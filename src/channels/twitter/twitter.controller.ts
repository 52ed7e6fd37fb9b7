import { Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiProperty, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { receivedOf } from '../../http/received-request';
import type { Query as CheckQuery } from '../../presets/request/query';
import { TwitterDoor } from './twitter.door';
import { TWITTER, TwitterSignature } from './twitter.signature';

export class CheckAnswer {
  @ApiProperty({ example: 'sha256=eMq4ykcdAjebdlBYxNTCM4lt2C0qJwpkFRJ1JXJHbWI=' })
  readonly response_token!: string;
}

/** The platform's own contract; docs/channels/twitter.md. */
@ApiTags('doors')
@Controller('twitter')
export class TwitterController {
  constructor(
    private readonly signature: TwitterSignature,
    private readonly door: TwitterDoor,
  ) {}

  @ApiOperation({ summary: 'X’s challenge-response check (CRC)' })
  @ApiQuery({ name: 'crc_token' })
  @ApiOkResponse({ type: CheckAnswer })
  @Get()
  @Door(TWITTER)
  check(@Query() query: CheckQuery): CheckAnswer {
    return { response_token: this.signature.answerCheck(query) };
  }

  @ApiOperation({ summary: 'Webhooks of X (Twitter): Account Activity' })
  @ApiHeader({
    name: 'x-twitter-webhooks-signature',
    description: '`sha256=` and the HMAC of the body with the consumer secret, in base64',
  })
  @ApiBody({ schema: { type: 'object' } })
  @Post()
  @HttpCode(200)
  @Door(TWITTER)
  @Accepts('application/json')
  @Direct()
  receive(@Req() request: FastifyRequest): Promise<string> {
    return this.door.receive(receivedOf(request));
  }
}
