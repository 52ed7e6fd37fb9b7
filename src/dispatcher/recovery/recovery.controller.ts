import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiBody, ApiOkResponse, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../../auth/principal';
import { sliceJson } from '../../core/json-slice';
import { Accepts } from '../../http/accepts';
import { type Page, PageQuery, pageOf } from '../../http/page';
import { readJson, validateAs } from '../../http/validate';
import { ApiPage } from '../api-page';
import { type Query as QueryValues, QueryFields } from '../../http/query-fields';
import { listScope } from '../registry/account-scope';
import { viewJob } from './job.view';
import { JobsRepository } from './jobs.repository';
import { type Answered, JobsService } from './jobs.service';
import { CancelDto, JobDto, type JobListDto, PreviewDto, RedriveDto, ReplayDto, type SentTestDto, TestEventDto } from './recovery.dto';
import { type TestEvent, TestEvents } from './test-event';

@ApiTags('recovery')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/deliveries')
export class BulkController {
  constructor(private readonly service: JobsService) {}

  /**
   * Sends dead deliveries again, as a job: each with the same webhook-id, a new timestamp and its schedule from the beginning. Those
   * whose endpoint is gone or deleted are left alone.
   */
  @Post('redrive')
  @Accepts('application/json')
  @ApiOkResponse({ type: PreviewDto, description: 'With dryRun' })
  @ApiAcceptedResponse({ type: JobDto })
  async redrive(
    @Body() body: RedriveDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobDto | PreviewDto> {
    return answer(reply, await this.service.bulk('redrive', body, principal));
  }

  /** Gives up open deliveries, as a job; those that are attempted at that moment are left alone. */
  @Post('cancel')
  @Accepts('application/json')
  @ApiOkResponse({ type: PreviewDto, description: 'With dryRun' })
  @ApiAcceptedResponse({ type: JobDto })
  async cancel(
    @Body() body: CancelDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobDto | PreviewDto> {
    return answer(reply, await this.service.bulk('cancel', body, principal));
  }
}

@ApiTags('recovery')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/endpoints')
export class EndpointRecoveryController {
  constructor(
    private readonly service: JobsService,
    private readonly tests: TestEvents,
  ) {}

  /**
   * Sends past events of the endpoint's account to it, as a job, also to one that was made after them: an event that it has not got
   * gets a delivery, a dead or cancelled delivery is sent again, one that is delivered or open is left alone.
   */
  @Post(':id/replay')
  @Accepts('application/json')
  @ApiOkResponse({ type: PreviewDto, description: 'With dryRun' })
  @ApiAcceptedResponse({ type: JobDto })
  async replay(
    @Param('id') id: string,
    @Body() body: ReplayDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobDto | PreviewDto> {
    return answer(reply, await this.service.replay(id, body, principal));
  }

  /** Sends an example to this endpoint alone, whatever its filters say (409 while it is disabled). */
  @Post(':id/test')
  @HttpCode(202)
  @Accepts('application/json')
  @ApiBody({ type: TestEventDto, required: false })
  async test(
    @Param('id') id: string,
    @Body() body: Buffer,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SentTestDto> {
    const sent = await this.tests.send(id, principal.accountId, testOf(body), request.id);
    void reply.header('location', `/api/v1/deliveries/${sent.deliveryId}`);
    return sent;
  }
}

@ApiTags('recovery')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobsRepository,
    private readonly service: JobsService,
  ) {}

  /** Newest first; those that have ended for 30 days. */
  @Get()
  @ApiPage()
  @ApiQuery({ name: 'accountId', required: false, type: String })
  async list(@Query() query: QueryValues, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<JobListDto> {
    const fields = new QueryFields(query);
    const account = fields.text('accountId');
    fields.assertValid();
    const rows = await this.jobs.list(listScope(principal, account), page);
    const { data, nextCursor } = pageOf(rows, page.limit, (row) => row.id);
    return { data: data.map(viewJob), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<JobDto> {
    return viewJob(await this.service.find(id, principal.accountId));
  }

  /** It ends before its next slice; what it has changed stays. One that has ended stays as it is. */
  @Post(':id/stop')
  @HttpCode(200)
  async stop(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<JobDto> {
    return viewJob(await this.service.stop(id, principal.accountId));
  }
}

function answer(reply: FastifyReply, answered: Answered): JobDto | PreviewDto {
  if ('preview' in answered) {
    void reply.status(200);
    return answered.preview;
  }
  void reply.status(202).header('location', `/api/v1/jobs/${answered.job.id}`);
  return viewJob(answered.job);
}

/** @throws GatewayError `malformed_json`, `json_too_deep`, `validation_failed`. */
function testOf(body: Buffer): TestEvent {
  if (body.length === 0) return { application: undefined, eventType: undefined, message: undefined };
  const { application, eventType } = validateAs(TestEventDto, readJson(body));
  return { application: application ?? undefined, eventType: eventType ?? undefined, message: sliceJson(body).member('message')?.bytes };
}
