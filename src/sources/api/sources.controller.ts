import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal, accountOf } from '../../auth/principal';
import { ServerConfig } from '../../config/app.config';
import { ApiPage } from '../../dispatcher/api-page';
import { type Query as QueryValues, QueryFields } from '../../http/query-fields';
import { listScope } from '../../dispatcher/registry/account-scope';
import { Accepts } from '../../http/accepts';
import { type Page, PageQuery, pageOf } from '../../http/page';
import { readJson, validateAs } from '../../http/validate';
import { viewSource, viewWithSecret } from './source.view';
import {
  CreateSourceDto,
  RotateSourceSecretDto,
  RotateUrlDto,
  type SourceDto,
  type SourceListDto,
  type SourceWithSecretDto,
  UpdateSourceDto,
} from './sources.dto';
import { SourcesRepository } from './sources.repository';
import { SourcesService, noSuchSource } from './sources.service';

@ApiTags('sources')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/sources')
export class SourcesController {
  constructor(
    private readonly sources: SourcesRepository,
    private readonly service: SourcesService,
    private readonly server: ServerConfig,
  ) {}

  /** Makes a source and its URL. Its secret is in this answer only. */
  @Post()
  @Accepts('application/json')
  async create(@Body() body: CreateSourceDto, @CurrentPrincipal() principal: Principal): Promise<SourceWithSecretDto> {
    const source = await this.service.create(accountOf(principal, body.accountId ?? undefined), body);
    return viewWithSecret(source, this.server.publicUrl);
  }

  /** The sources of the key's account, in the order they were made; of all accounts for an admin key. */
  @Get()
  @ApiPage()
  @ApiQuery({ name: 'accountId', required: false, type: String })
  async list(@Query() query: QueryValues, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<SourceListDto> {
    const fields = new QueryFields(query);
    const account = fields.text('accountId');
    fields.assertValid();
    const rows = await this.sources.list(listScope(principal, account), page);
    const { data, nextCursor } = pageOf(rows, page.limit, (row) => row.id);
    return { data: data.map((source) => this.view(source)), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<SourceDto> {
    const source = await this.sources.find(id, principal.accountId);
    if (!source) throw noSuchSource(id);
    return this.view(source);
  }

  /** Changes the fields that are given; null sets one back to its default. A secret that this made is in the answer. */
  @Patch(':id')
  @Accepts('application/json')
  async update(
    @Param('id') id: string,
    @Body() body: UpdateSourceDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SourceWithSecretDto> {
    const { source, hasNewSecret } = await this.service.update(id, principal.accountId, body);
    return hasNewSecret ? viewWithSecret(source, this.server.publicUrl) : this.view(source);
  }

  /** Its URL answers 404 from now on; what it has sent is still delivered. */
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    await this.service.remove(id, principal.accountId);
  }

  /** Gives it a new secret, shown in this answer only; requests with the old one are let in as well for a while. */
  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Accepts('application/json')
  @ApiBody({ type: RotateSourceSecretDto, required: false })
  async rotateSecret(
    @Param('id') id: string,
    @Body() body: Buffer,
    @CurrentPrincipal() principal: Principal,
  ): Promise<SourceWithSecretDto> {
    const input = body.length === 0 ? {} : validateAs(RotateSourceSecretDto, readJson(body));
    return viewWithSecret(await this.service.rotateSecret(id, principal.accountId, input), this.server.publicUrl);
  }

  /** Gives it a new URL; the old one works as well for a while. */
  @Post(':id/rotate-url')
  @HttpCode(200)
  @Accepts('application/json')
  @ApiBody({ type: RotateUrlDto, required: false })
  async rotateUrl(@Param('id') id: string, @Body() body: Buffer, @CurrentPrincipal() principal: Principal): Promise<SourceDto> {
    const input = body.length === 0 ? {} : validateAs(RotateUrlDto, readJson(body));
    return this.view(await this.service.rotateUrl(id, principal.accountId, input));
  }

  private view(source: Parameters<typeof viewSource>[0]): SourceDto {
    return viewSource(source, this.server.publicUrl);
  }
}
