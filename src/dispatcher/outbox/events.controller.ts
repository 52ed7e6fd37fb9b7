import { Body, Controller, Get, Header, HttpCode, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiHeader, ApiOkResponse, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../../auth/principal';
import { GatewayError } from '../../core/errors';
import type { DeliveryStatus } from '../../core/hook-event';
import { Accepts } from '../../http/accepts';
import { Door } from '../../http/door';
import { type Page, PageQuery } from '../../http/page';
import { Metrics } from '../../metrics/metrics.service';
import { ApiPage } from '../api-page';
import { DeliveriesRepository } from '../delivery/deliveries.repository';
import { type Query as QueryValues, QueryFields } from '../../http/query-fields';
import { listScope } from '../registry/account-scope';
import { EventPublisher } from './event-publisher';
import { eventJson, viewSummary } from './event.view';
import { EventDto, type EventListDto, PublishEventDto, type PublishedDto, type PublishedListDto } from './events.dto';
import { EventsRepository, MAX_SEARCHED_EVENTS, SEARCHED_BYTES } from './events.repository';
import { type PublishCall, SOURCE, readBatch, readSingle } from './publish-request';

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key with the same body gets the same answer for 24 hours; with another body it is refused with 422.',
} as const;

@ApiTags('events')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/events')
export class EventsController {
  constructor(
    private readonly publisher: EventPublisher,
    private readonly events: EventsRepository,
    private readonly deliveries: DeliveriesRepository,
    private readonly metrics: Metrics,
  ) {}

  /** Publishes an event. The answer is given when it is stored for good, with its deliveries. */
  @Post()
  @HttpCode(202)
  @Door(SOURCE)
  @Accepts('application/json')
  @ApiBody({ type: PublishEventDto })
  @ApiHeader(IDEMPOTENCY_KEY)
  async publish(@Body() body: Buffer, @Req() request: FastifyRequest, @CurrentPrincipal() principal: Principal): Promise<PublishedDto> {
    const call = callOf(request, body, principal);
    const [outcome] = await this.publisher.publish(readSingle(call));
    if (!outcome) throw new Error('An event got no outcome');
    this.count(call);
    return outcome;
  }

  /** Publishes up to 1,000 events, given as an array or as `{"events": […]}`: all of them, or none when one is not valid. */
  @Post('batch')
  @HttpCode(202)
  @Door(SOURCE)
  @Accepts('application/json')
  @ApiBody({ type: [PublishEventDto] })
  @ApiHeader(IDEMPOTENCY_KEY)
  async publishBatch(
    @Body() body: Buffer,
    @Req() request: FastifyRequest,
    @CurrentPrincipal() principal: Principal,
  ): Promise<PublishedListDto> {
    const call = callOf(request, body, principal);
    const data = await this.publisher.publish(readBatch(call));
    this.count(call);
    return { data };
  }

  /** Newest first. A page looks at a bounded number of events: it may be short or empty and still have a nextCursor. */
  @Get()
  @ApiPage()
  @ApiQuery({
    name: 'q',
    required: false,
    type: String,
    description:
      `Text that stands, in the same case, in the id, the application, the event type or the first ${String(SEARCHED_BYTES)} bytes of the ` +
      `data as they were sent (escapes are not read). A page looks at ${String(MAX_SEARCHED_EVENTS)} events.`,
  })
  @ApiQuery({ name: 'application', required: false, type: String })
  @ApiQuery({ name: 'eventType', required: false, type: String })
  @ApiQuery({ name: 'accountId', required: false, type: String })
  @ApiQuery({ name: 'since', required: false, type: String, description: 'Stored at or after this time (ISO 8601).' })
  @ApiQuery({ name: 'until', required: false, type: String, description: 'Stored before this time (ISO 8601).' })
  async list(@Query() query: QueryValues, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<EventListDto> {
    const fields = new QueryFields(query);
    const filters = { application: fields.text('application'), eventType: fields.text('eventType'), text: fields.text('q') };
    const times = { sinceMs: fields.timeMs('since'), untilMs: fields.timeMs('until') };
    const accountId = fields.text('accountId');
    fields.assertValid();
    const { data, nextCursor } = await this.events.page({ account: listScope(principal, accountId), ...filters, ...times }, page);
    const statuses = new Map<string, DeliveryStatus[]>();
    for (const row of await this.deliveries.statusesOf(data.map((event) => event.id))) {
      statuses.set(row.event_id, [...(statuses.get(row.event_id) ?? []), row.status as DeliveryStatus]);
    }
    return { data: data.map((event) => viewSummary(event, statuses.get(event.id) ?? [])), nextCursor };
  }

  /** The event with its deliveries and their attempts. */
  @Get(':id')
  @Header('content-type', 'application/json; charset=utf-8')
  @ApiOkResponse({ type: EventDto })
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<string> {
    const event = await this.events.find(id, principal.accountId);
    if (!event) throw new GatewayError('not_found', `There is no event ${id.slice(0, 64)}`);
    const deliveries = await this.deliveries.ofEvent(id);
    return eventJson(event, deliveries, await this.deliveries.attemptsOf(deliveries));
  }

  private count({ receivedAt }: PublishCall): void {
    this.metrics.accepted.inc({ source: SOURCE });
    this.metrics.ingestSeconds.observe({ source: SOURCE }, Math.max(0, Date.now() - receivedAt) / 1_000);
  }
}

const callOf = (request: FastifyRequest, body: Buffer, principal: Principal): PublishCall => ({
  requestId: request.id,
  receivedAt: Date.now(),
  path: request.url.split('?', 1)[0] ?? '',
  contentType: request.headers['content-type'] ?? 'application/json',
  idempotencyKey: headerOf(request, 'idempotency-key'),
  body,
  principal,
});

/** A header that Node joins when it comes twice. */
const headerOf = (request: FastifyRequest, name: string): string | undefined => request.headers[name]?.toString();
