import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal, accountOf } from '../../auth/principal';
import { Accepts } from '../../http/accepts';
import { type Page, PageQuery, pageOf } from '../../http/page';
import { readJson, validateAs } from '../../http/validate';
import { ApiPage } from '../api-page';
import { type Query as QueryValues, QueryFields } from '../../http/query-fields';
import { listScope } from './account-scope';
import { viewEndpoint, viewWithSecret } from './endpoint.view';
import {
  CreateEndpointDto,
  type EndpointDto,
  type EndpointListDto,
  type EndpointWithSecretDto,
  RotateSecretDto,
  UpdateEndpointDto,
} from './endpoints.dto';
import { EndpointsRepository } from './endpoints.repository';
import { EndpointsService, noSuchEndpoint } from './endpoints.service';

@ApiTags('endpoints')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/endpoints')
export class EndpointsController {
  constructor(
    private readonly endpoints: EndpointsRepository,
    private readonly service: EndpointsService,
  ) {}

  /** Makes an endpoint. Its secret is in this answer only. */
  @Post()
  @Accepts('application/json')
  async create(@Body() body: CreateEndpointDto, @CurrentPrincipal() principal: Principal): Promise<EndpointWithSecretDto> {
    return viewWithSecret(await this.service.create(accountOf(principal, body.accountId ?? undefined), body));
  }

  /** The endpoints of the key's account, in the order they were made; of all accounts for an admin key. */
  @Get()
  @ApiPage()
  @ApiQuery({ name: 'accountId', required: false, type: String })
  async list(@Query() query: QueryValues, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<EndpointListDto> {
    const fields = new QueryFields(query);
    const account = fields.text('accountId');
    fields.assertValid();
    const rows = await this.endpoints.list(listScope(principal, account), page);
    const { data, nextCursor } = pageOf(rows, page.limit, (row) => row.id);
    return { data: data.map((endpoint) => viewEndpoint(endpoint)), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<EndpointDto> {
    const endpoint = await this.endpoints.find(id, principal.accountId);
    if (!endpoint) throw noSuchEndpoint(id);
    return viewEndpoint(endpoint);
  }

  /** Changes the fields that are given; null sets one back to its default. */
  @Patch(':id')
  @Accepts('application/json')
  async update(@Param('id') id: string, @Body() body: UpdateEndpointDto, @CurrentPrincipal() principal: Principal): Promise<EndpointDto> {
    return viewEndpoint(await this.service.update(id, principal.accountId, body));
  }

  /** Its open deliveries are cancelled; filters that name it deliver nothing there. */
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    await this.service.remove(id, principal.accountId);
  }

  /** Deliveries that waited while it was disabled go on. */
  @Post(':id/enable')
  @HttpCode(200)
  async enable(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<EndpointDto> {
    return viewEndpoint(await this.service.setEnabled(id, principal.accountId, true));
  }

  /** Deliveries under way are finished, others wait until it is enabled. */
  @Post(':id/disable')
  @HttpCode(200)
  async disable(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<EndpointDto> {
    return viewEndpoint(await this.service.setEnabled(id, principal.accountId, false));
  }

  /** Gives it a new secret, shown in this answer only; the old one signs beside it for a while. */
  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Accepts('application/json')
  @ApiBody({ type: RotateSecretDto, required: false })
  async rotateSecret(
    @Param('id') id: string,
    @Body() body: Buffer,
    @CurrentPrincipal() principal: Principal,
  ): Promise<EndpointWithSecretDto> {
    const input = body.length === 0 ? {} : validateAs(RotateSecretDto, readJson(body));
    return viewWithSecret(await this.service.rotateSecret(id, principal.accountId, input));
  }
}
