import { Controller, Header, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Accepts } from '../../http/accepts';
import { Direct } from '../../http/direct';
import { Door } from '../../http/door';
import { bodyOf, headerOf } from '../../http/raw-body';
import { ChannelInbox } from '../channel';
import { HandoverRequest, readHandover } from './automate.request';
import { AUTOMATE, AutomateSignature, STEP_ATTRIBUTE } from './automate.signature';

export const AUTOMATE_QUEUE = 'webhooks.automate.default';

/** Handover requests of the thread coordinator; docs/channels/automate.md. */
@ApiTags('doors')
@Controller('automate')
export class AutomateController {
  constructor(
    private readonly signature: AutomateSignature,
    private readonly inbox: ChannelInbox,
  ) {}

  @ApiOperation({ summary: 'A conversation passes from the bot to a person' })
  @ApiHeader({ name: 'X-OTP', description: 'The one-time password of this moment (TOTP: SHA-1, 6 digits, 30 s)' })
  @ApiBody({ type: HandoverRequest })
  @Post()
  @HttpCode(202)
  @Header('content-type', 'application/json; charset=utf-8')
  @Door(AUTOMATE)
  @Accepts('application/json')
  @Direct()
  async receive(@Req() request: FastifyRequest): Promise<string> {
    const receivedAt = Date.now();
    const body = bodyOf(request);
    const coded = { code: headerOf(request, 'x-otp'), body, address: request.ip };
    return this.signature.admit(coded, async (step) => {
      readHandover(body);
      const contentType = request.headers['content-type'] ?? 'application/json';
      const attributes = { [STEP_ATTRIBUTE]: String(step) };
      await this.inbox.enqueue(AUTOMATE, AUTOMATE_QUEUE, { requestId: request.id, receivedAt, contentType, body, attributes });
      return '{"status":"accepted"}';
    });
  }
}
