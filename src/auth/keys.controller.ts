import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger';
import { GatewayError } from '../core/errors';
import { Accepts } from '../http/accepts';
import { BarePageQuery, DEFAULT_LIMIT, MAX_LIMIT, type Page, pageOf } from '../http/page';
import { ApiKeyGuard } from './api-key.guard';
import { type ApiKeyRow, ApiKeysService } from './api-keys.service';
import { CreateKeyDto, type KeyDto, type KeyListDto, type NewKeyDto, UpdateKeyDto } from './keys.dto';
import { CurrentPrincipal, type Principal, accountOf } from './principal';

@ApiTags('keys')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/keys')
export class KeysController {
  constructor(private readonly keys: ApiKeysService) {}

  /** Makes a key. It is in this answer only. */
  @Post()
  @Accepts('application/json')
  async create(@Body() body: CreateKeyDto, @CurrentPrincipal() principal: Principal): Promise<NewKeyDto> {
    const { row, key } = await this.keys.create(accountOfNew(body, principal), body.name ?? '');
    return { ...view(row), key };
  }

  /** The account's keys that are not revoked, oldest first; those of all accounts for an admin key. */
  @Get()
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT } })
  @ApiQuery({ name: 'cursor', required: false, type: String, description: 'The nextCursor of the page before.' })
  async list(@BarePageQuery() page: Page, @CurrentPrincipal() principal: Principal): Promise<KeyListDto> {
    const { data, nextCursor } = pageOf(await this.keys.list(principal.accountId, page), page.limit, (row) => row.id);
    return { data: data.map(view), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<KeyDto> {
    const row = await this.keys.find(id, principal.accountId);
    if (!row) throw noSuchKey();
    return view(row);
  }

  @Patch(':id')
  @Accepts('application/json')
  async update(@Param('id') id: string, @Body() body: UpdateKeyDto, @CurrentPrincipal() principal: Principal): Promise<KeyDto> {
    const { name } = body;
    if (name !== undefined && !(await this.keys.rename(id, principal.accountId, name ?? ''))) throw noSuchKey();
    return this.get(id, principal);
  }

  /** Revokes it: every process refuses it within a second. */
  @Delete(':id')
  @HttpCode(204)
  async revoke(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    if (!(await this.keys.revoke(id, principal.accountId))) throw noSuchKey();
  }
}

const noSuchKey = (): GatewayError => new GatewayError('not_found', 'There is no such key');

/** Null for an admin key. */
function accountOfNew({ admin, accountId }: CreateKeyDto, principal: Principal): string | null {
  if (admin !== true) return accountOf(principal, accountId ?? undefined);
  if (principal.accountId !== null) throw new GatewayError('forbidden', 'Only an admin key may make admin keys');
  if (accountId === undefined || accountId === null) return null;
  throw new GatewayError('validation_failed', undefined, {
    problems: [{ path: 'accountId', message: 'must be left out for an admin key' }],
  });
}

const view = (row: ApiKeyRow): KeyDto => ({
  id: row.id,
  accountId: row.account_id,
  admin: row.account_id === null,
  name: row.name,
  prefix: row.prefix,
  createdAt: new Date(row.created_at).toISOString(),
});
