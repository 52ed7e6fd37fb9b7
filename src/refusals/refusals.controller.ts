import { Controller, Get, Param, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../auth/principal';
import { GatewayError } from '../core/errors';
import { isId } from '../core/ids';
import { DEFAULT_LIMIT, MAX_LIMIT, type Page, PageQuery, pageOf } from '../http/page';
import { type RefusalDetailDto, type RefusalListDto, refusalDetailView, refusalView } from './refusals.dto';
import { type RefusalQuery, RefusalsRepository } from './refusals.repository';

@ApiTags('requests')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/requests')
export class RefusalsController {
  constructor(private readonly refusals: RefusalsRepository) {}

  /** Requests that were refused at a door, newest first; a new one is listed within a second. For admin keys. */
  @Get()
  @ApiQuery({ name: 'outcome', required: false, enum: ['rejected'] })
  @ApiQuery({ name: 'source', required: false, type: String, description: 'The door, such as `facebook`.' })
  @ApiQuery({ name: 'code', required: false, type: String, description: 'As in docs/errors.md.' })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT } })
  @ApiQuery({ name: 'cursor', required: false, type: String, description: 'The nextCursor of the page before.' })
  async list(
    @Query() query: Record<string, unknown>,
    @PageQuery() page: Page,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RefusalListDto> {
    assertAdmin(principal);
    const { data, nextCursor } = pageOf(await this.refusals.find(parseQuery(query), page), page.limit, (row) => row.id);
    return { data: data.map(refusalView), nextCursor };
  }

  /** One of them, with its headers and the beginning of its body. */
  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<RefusalDetailDto> {
    assertAdmin(principal);
    const row = isId(id) ? await this.refusals.findOne(id) : undefined;
    if (row === undefined) throw new GatewayError('not_found', 'There is no such request');
    return refusalDetailView(row);
  }
}

/** A refused request belongs to no account: nobody has read whose it is. */
function assertAdmin({ accountId }: Principal): void {
  if (accountId !== null) throw new GatewayError('forbidden', 'Refused requests are for admin keys');
}

function parseQuery({ outcome, source, code }: Record<string, unknown>): RefusalQuery {
  const problems = [
    ...(outcome === undefined || outcome === 'rejected' ? [] : [{ path: 'outcome', message: 'must be rejected' }]),
    ...Object.entries({ source, code }).flatMap(([path, value]) =>
      value === undefined || (typeof value === 'string' && !value.includes('\0')) ? [] : [{ path, message: 'must be one text' }],
    ),
  ];
  if (problems.length > 0) throw new GatewayError('malformed_request', 'The query is not valid', { problems });
  return { ...(typeof source === 'string' && { source }), ...(typeof code === 'string' && { code }) };
}
