import { Controller, Head, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Direct } from '../http/direct';
import { Door } from '../http/door';
import { receivedOf } from '../http/received-request';
import { StatusAndMsg } from '../http/status-and-msg';
import { TokenWebhookDoor, WH } from './token-webhook.door';

/** The URLs themselves: who knows both tokens may send. */
@ApiTags('doors')
@ApiParam({ name: 'apiToken', type: String })
@ApiParam({ name: 'token', type: String })
@Controller('wh/:apiToken/:token')
export class HooksController {
  constructor(private readonly door: TokenWebhookDoor) {}

  @ApiOperation({ summary: 'Whether the URL is known: so Trello checks it before it sends' })
  @Head()
  @HttpCode(200)
  @Door(WH)
  @StatusAndMsg()
  @Direct()
  async check(@Req() request: FastifyRequest): Promise<string> {
    await this.door.find(receivedOf(request).target);
    return '';
  }

  @ApiOperation({ summary: 'A webhook of any datasource that sends JSON' })
  @ApiBody({ schema: { type: 'object' } })
  @Post()
  @HttpCode(204)
  @Door(WH)
  @StatusAndMsg()
  @Direct()
  async receive(@Req() request: FastifyRequest): Promise<string> {
    await this.door.receive(receivedOf(request));
    return '';
  }
}
