import { Body, Controller, Get, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../../auth/principal';
import { GatewayError } from '../../core/errors';
import { Accepts } from '../../http/accepts';
import { type Page, PageQuery } from '../../http/page';
import { ApiPage } from '../api-page';
import { planDispatch } from '../dispatch-plan';
import { EventsRepository } from '../outbox/events.repository';
import { readEnvelope } from '../outbox/publish-request';
import { RegistryService } from '../registry/registry.service';
import { fromEventRow } from '../stored-event';
import { BacktestService } from './backtest.service';
import { BacktestDto, type BacktestResultDto, ExplainEventDto, type ExplanationDto } from './explain.dto';
import { ExplainService } from './explain.service';

@ApiTags('filters')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1')
export class ExplainController {
  constructor(
    private readonly service: ExplainService,
    private readonly backtests: BacktestService,
    private readonly events: EventsRepository,
    private readonly registry: RegistryService,
  ) {}

  /** Who would get this event now, and why: each filter’s clauses, and the requests that would be made. Nothing is sent. */
  @Get('events/:id/explain')
  @ApiPage()
  async stored(@Param('id') id: string, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<ExplanationDto> {
    const row = await this.events.find(id, principal.accountId);
    if (!row) throw new GatewayError('not_found', `There is no event ${id.slice(0, 64)}`);
    return this.service.explain(fromEventRow(row), page);
  }

  /** The same for an event that has not been published. It is not kept. */
  @Post('filters/explain')
  @HttpCode(200)
  @ApiPage()
  @Accepts('application/json')
  @ApiBody({ type: ExplainEventDto })
  async given(
    @Body() body: Buffer,
    @PageQuery() page: Page,
    @Req() request: FastifyRequest,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ExplanationDto> {
    const event = readEnvelope(body, principal);
    const incoming = { requestId: request.id, source: 'events', receivedAt: Date.now(), events: [event] };
    const plan = planDispatch([incoming], await this.registry.ensureLoaded(), Date.now());
    const stored = plan.requests[0]?.events[0]?.stored;
    if (!stored) throw new Error('An event was not planned');
    return this.service.explain(stored, page);
  }

  /** Which of the last events a new or changed filter would have matched, and what would be different from now. Nothing is changed. */
  @Post('filters/backtest')
  @HttpCode(200)
  @Accepts('application/json')
  backtest(@Body() body: BacktestDto, @CurrentPrincipal() principal: Principal): Promise<BacktestResultDto> {
    return this.backtests.run(body, principal);
  }
}
