import { Controller, Delete, Get, Head, Header, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Bearer, CurrentBearer, TenantGuard } from '../auth/bearer/tenant.guard';
import { Accepts } from '../http/accepts';
import { bodyOf, headerOf } from '../http/raw-body';
import { StatusAndMsg } from '../http/status-and-msg';
import { viewForReaders, viewOf } from './token-webhook';
import { TokenWebhooks } from './token-webhooks.service';
import { readWebhookRequest } from './webhook-request';

const JSON_TYPE = 'application/json; charset=utf-8';

/** The original token service's own contract; docs/token-webhooks.md. */
@ApiTags('token webhooks')
@ApiBearerAuth()
@UseGuards(TenantGuard)
@Controller('wh/config')
export class TokenWebhooksController {
  constructor(private readonly webhooks: TokenWebhooks) {}

  @ApiOperation({ summary: 'Makes the URL for an event of a datasource, or changes the one that is there' })
  @ApiHeader({ name: 'X-ORIG-SERVER', required: true, description: 'For whose host the URL is' })
  @ApiBody({
    schema: {
      type: 'object',
      required: ['datasource', 'event'],
      properties: { datasource: { type: 'string' }, event: { type: 'string' }, tsField: { type: 'string', nullable: true } },
    },
  })
  @Post()
  @HttpCode(200)
  @StatusAndMsg()
  @Accepts('application/json')
  @Header('content-type', JSON_TYPE)
  async save(@Req() request: FastifyRequest, @CurrentBearer() bearer: Bearer): Promise<string> {
    return viewOf(await this.webhooks.save(bearer, readWebhookRequest(bodyOf(request), headerOf(request, 'x-orig-server'))));
  }

  @ApiOperation({ summary: 'The tenant’s webhooks, oldest first' })
  @Get()
  @StatusAndMsg()
  @Header('content-type', JSON_TYPE)
  async list(@CurrentBearer() bearer: Bearer): Promise<string> {
    return `[${(await this.webhooks.list(bearer)).map(viewForReaders).join(',')}]`;
  }

  @ApiOperation({ summary: 'Whether there is such a webhook' })
  @Head(':token')
  @StatusAndMsg()
  async check(@Param('token') token: string, @CurrentBearer() bearer: Bearer): Promise<void> {
    await this.webhooks.find(bearer, token);
  }

  @ApiOperation({ summary: 'One of the tenant’s webhooks' })
  @Get(':token')
  @StatusAndMsg()
  @Header('content-type', JSON_TYPE)
  async get(@Param('token') token: string, @CurrentBearer() bearer: Bearer): Promise<string> {
    return viewForReaders(await this.webhooks.find(bearer, token));
  }

  @ApiOperation({ summary: 'Deletes it: its URL is unknown from now on' })
  @Delete(':token')
  @HttpCode(204)
  @StatusAndMsg()
  async remove(@Param('token') token: string, @CurrentBearer() bearer: Bearer): Promise<void> {
    await this.webhooks.remove(bearer, token);
  }
}
