import { Controller, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../../auth/principal';
import { GatewayError } from '../../core/errors';
import { isId } from '../../core/ids';
import { type Page, PageQuery } from '../../http/page';
import { ApiPage } from '../api-page';
import { type Query as QueryValues, QueryFields } from '../../http/query-fields';
import { listScope } from '../registry/account-scope';
import { DeliveriesRepository } from './deliveries.repository';
import type { DeliveryDto, DeliveryListDto, DeliveryWithAttemptsDto } from './deliveries.dto';
import { DeliveryActions, noSuchDelivery } from './delivery-actions';
import { DeliveryList } from './delivery-list';
import { viewDelivery, viewWithAttempts } from './delivery.view';

const DEAD_CLASSES = ['receiver', 'pipeline'] as const;
const STATUSES = ['pending', 'waiting', 'delivered', 'dead', 'cancelled'] as const;

@ApiTags('deliveries')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/deliveries')
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveriesRepository,
    private readonly lists: DeliveryList,
    private readonly actions: DeliveryActions,
  ) {}

  /** Newest first. A page looks at 50,000 deliveries at most: it may be short or empty and still have a nextCursor. */
  @Get()
  @ApiPage()
  @ApiQuery({ name: 'status', required: false, enum: STATUSES })
  @ApiQuery({ name: 'deadClass', required: false, enum: DEAD_CLASSES, description: 'Means status=dead.' })
  @ApiQuery({ name: 'endpointId', required: false, type: String })
  @ApiQuery({ name: 'reason', required: false, type: String, description: 'Why it is dead or cancelled, such as `503`.' })
  @ApiQuery({ name: 'accountId', required: false, type: String })
  @ApiQuery({ name: 'since', required: false, type: String, description: 'Made at or after this time (ISO 8601).' })
  @ApiQuery({ name: 'until', required: false, type: String, description: 'Made before this time (ISO 8601).' })
  async list(@Query() query: QueryValues, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<DeliveryListDto> {
    const fields = new QueryFields(query);
    const deadClass = fields.oneOf('deadClass', DEAD_CLASSES);
    const status = fields.oneOf('status', deadClass === undefined ? STATUSES : ['dead']) ?? (deadClass && 'dead');
    const endpointId = fields.text('endpointId');
    const reason = fields.text('reason');
    const times = { sinceMs: fields.timeMs('since'), untilMs: fields.timeMs('until') };
    const account = fields.text('accountId');
    fields.assertValid();
    if (endpointId !== undefined && !isId(endpointId)) throw new GatewayError('not_found', 'There is no such endpoint');
    const wanted = { account: listScope(principal, account), status, deadClass, endpointId, reason, ...times };
    const { data, nextCursor } = await this.lists.page(wanted, page);
    return { data: data.map(viewDelivery), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<DeliveryWithAttemptsDto> {
    const delivery = await this.deliveries.find(id, principal.accountId);
    if (!delivery) throw noSuchDelivery(id);
    return viewWithAttempts(delivery, await this.deliveries.attemptsOf([delivery]));
  }

  /** Makes it due now, a dead, cancelled or delivered one too (409 while an attempt is under way or without its endpoint). */
  @Post(':id/retry')
  @HttpCode(202)
  async retry(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<DeliveryDto> {
    return viewDelivery(await this.actions.retry(id, principal.accountId));
  }

  /** Gives up an open delivery (409 while an attempt is under way, or when it is delivered or dead). */
  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<DeliveryDto> {
    return viewDelivery(await this.actions.cancel(id, principal.accountId));
  }
}
