import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal, accountOf } from '../../auth/principal';
import { Accepts } from '../../http/accepts';
import { type Page, PageQuery, pageOf } from '../../http/page';
import { ApiPage } from '../api-page';
import { type Query as QueryValues, QueryFields } from '../../http/query-fields';
import { listScope } from './account-scope';
import { CreateFilterDto, type FilterDto, type FilterListDto, UpdateFilterDto } from './filters.dto';
import { type FilterRecord, FiltersRepository } from './filters.repository';
import { FiltersService, noSuchFilter } from './filters.service';

@ApiTags('filters')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/filters')
export class FiltersController {
  constructor(
    private readonly filters: FiltersRepository,
    private readonly service: FiltersService,
  ) {}

  /** Makes a filter: which events go to which endpoints. */
  @Post()
  @Accepts('application/json')
  async create(@Body() body: CreateFilterDto, @CurrentPrincipal() principal: Principal): Promise<FilterDto> {
    return view(await this.service.create(accountOf(principal, body.accountId ?? undefined), body));
  }

  /** The filters of the key's account, in the order they were made; of all accounts for an admin key. */
  @Get()
  @ApiPage()
  @ApiQuery({ name: 'accountId', required: false, type: String })
  async list(@Query() query: QueryValues, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<FilterListDto> {
    const fields = new QueryFields(query);
    const account = fields.text('accountId');
    fields.assertValid();
    const { data, nextCursor } = pageOf(await this.filters.list(listScope(principal, account), page), page.limit, (row) => row.id);
    return { data: data.map(view), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<FilterDto> {
    const filter = await this.filters.find(id, principal.accountId);
    if (!filter) throw noSuchFilter(id);
    return view(filter);
  }

  /** Changes the fields that are given; a list replaces the one before. */
  @Patch(':id')
  @Accepts('application/json')
  async update(@Param('id') id: string, @Body() body: UpdateFilterDto, @CurrentPrincipal() principal: Principal): Promise<FilterDto> {
    return view(await this.service.update(id, principal.accountId, body));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    await this.service.remove(id, principal.accountId);
  }
}

const view = (filter: FilterRecord): FilterDto => ({
  id: filter.id,
  accountId: filter.accountId,
  name: filter.name,
  enabled: filter.enabled,
  applications: filter.applications,
  eventTypes: filter.eventTypes,
  levels: filter.levels,
  where: filter.where,
  endpointIds: filter.endpointIds,
  createdAt: new Date(filter.createdAt).toISOString(),
  updatedAt: new Date(filter.updatedAt).toISOString(),
});
