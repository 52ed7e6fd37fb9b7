import { Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiProperty, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { bodyOf, headerOf } from '../../http/raw-body';
import { ChannelInbox } from '../channel';
import { assertEnvelope } from './twitter.envelope';
import { type Query as CheckQuery, TWITTER, TwitterSignature } from './twitter.signature';

export const TWITTER_QUEUE = 'webhooks.twitter.default';

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
    private readonly inbox: ChannelInbox,
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
  async receive(@Req() request: FastifyRequest): Promise<string> {
    const receivedAt = Date.now();
    const body = bodyOf(request);
    this.signature.assertValid(body, headerOf(request, 'x-twitter-webhooks-signature'));
    assertEnvelope(body);
    const contentType = request.headers['content-type'] ?? 'application/json';
    await this.inbox.enqueue(TWITTER, TWITTER_QUEUE, { requestId: request.id, receivedAt, contentType, body });
    return '';
  }
}
