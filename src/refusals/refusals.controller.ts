import { Controller, Get, HttpCode, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Selectable } from 'kysely';
import { ApiKeyGuard } from '../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../auth/principal';
import { GatewayError } from '../core/errors';
import { isId } from '../core/ids';
import { bodyOf } from '../http/raw-body';
import { readJson, validateAs } from '../http/validate';
import type { RequestsTable } from '../storage/schema';
import { DEFAULT_LIMIT, MAX_LIMIT, type Page, PageQuery, pageOf } from '../http/page';
import { type Query as QueryValues, QueryFields } from '../http/query-fields';
import { AcceptDto, type DiagnosisDto, diagnosisView } from './diagnosis.dto';
import { Doctor } from './doctor.service';
import { type RefusalDetailDto, type RefusalDto, type RefusalListDto, refusalDetailView, refusalView } from './refusals.dto';
import { type RefusalQuery, RefusalsRepository } from './refusals.repository';

const OUTCOMES = ['rejected', 'accepted'] as const;

@ApiTags('requests')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/requests')
export class RefusalsController {
  constructor(
    private readonly refusals: RefusalsRepository,
    private readonly doctor: Doctor,
  ) {}

  /** Requests that were refused at a door, and those of them that were accepted later, newest first; a new one is listed within a second. For admin keys. */
  @Get()
  @ApiQuery({ name: 'outcome', required: false, enum: OUTCOMES })
  @ApiQuery({
    name: 'source',
    required: false,
    type: String,
    description: 'As in the ledger, such as `facebook` or `in:<source id>`; `in` is all of `/in`.',
  })
  @ApiQuery({ name: 'code', required: false, type: String, description: 'As in docs/errors.md.' })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT } })
  @ApiQuery({ name: 'cursor', required: false, type: String, description: 'The nextCursor of the page before.' })
  async list(@Query() query: QueryValues, @PageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<RefusalListDto> {
    assertAdmin(principal);
    const { data, nextCursor } = pageOf(await this.refusals.find(parseQuery(query), page), page.limit, (row) => row.id);
    return { data: data.map(refusalView), nextCursor };
  }

  /** One of them, by the `requestId` of its answer, with its headers and the beginning of its body. */
  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<RefusalDetailDto> {
    return refusalDetailView(await this.find(id, principal));
  }

  /** Why it was refused, by trying what is likely, and what to do about it. Nothing in the answer is secret. */
  @Get(':id/diagnosis')
  async diagnose(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<DiagnosisDto> {
    const row = await this.find(id, principal);
    return diagnosisView(row, await this.doctor.diagnose(row));
  }

  /** Takes it in through its door again, with the settings of now and the clock of its receipt. */
  @Post(':id/accept')
  @HttpCode(200)
  @ApiBody({ type: AcceptDto, required: false })
  async accept(@Param('id') id: string, @Req() request: FastifyRequest, @CurrentPrincipal() principal: Principal): Promise<RefusalDto> {
    const row = await this.find(id, principal);
    const body = bodyOf(request);
    const { cause } = body.length === 0 ? new AcceptDto() : validateAs(AcceptDto, readJson(body));
    await this.doctor.accept(row, cause);
    return refusalView(await this.find(id, principal));
  }

  private async find(id: string, principal: Principal): Promise<Selectable<RequestsTable>> {
    assertAdmin(principal);
    const row = isId(id) ? await this.refusals.findOne(id) : undefined;
    if (row === undefined) throw new GatewayError('not_found', 'There is no such request');
    return row;
  }
}

/** A refused request belongs to no account: nobody has read whose it is. */
function assertAdmin({ accountId }: Principal): void {
  if (accountId !== null) throw new GatewayError('forbidden', 'Refused requests are for admin keys');
}

function parseQuery(query: QueryValues): RefusalQuery {
  const fields = new QueryFields(query);
  const [outcome, source, code] = [fields.oneOf('outcome', OUTCOMES), fields.text('source'), fields.text('code')];
  fields.assertValid();
  return {
    ...(outcome !== undefined && { outcome }),
    ...(source !== undefined && { source }),
    ...(code !== undefined && { code }),
  };
}
