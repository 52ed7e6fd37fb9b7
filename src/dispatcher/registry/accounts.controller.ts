import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../../auth/principal';
import { DEFAULT_ACCOUNT } from '../../core/account-id';
import { GatewayError } from '../../core/errors';
import { newId } from '../../core/ids';
import { Accepts } from '../../http/accepts';
import { ApiPage } from '../api-page';
import { BarePageQuery, type Page, pageOf } from '../../http/page';
import { type AccountDto, type AccountListDto, CreateAccountDto, UpdateAccountDto } from './accounts.dto';
import { type AccountRow, AccountsRepository } from './accounts.repository';
import { assertAdmin, assertOwn, noSuchAccount } from './account-scope';
import { RegistryChange } from './registry-change';

@ApiTags('accounts')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/accounts')
export class AccountsController {
  constructor(
    private readonly accounts: AccountsRepository,
    private readonly registry: RegistryChange,
  ) {}

  /** Makes an account; needs an admin key. */
  @Post()
  @Accepts('application/json')
  async create(@Body() body: CreateAccountDto, @CurrentPrincipal() principal: Principal): Promise<AccountDto> {
    assertAdmin(principal);
    const id = body.id ?? newId();
    const account = { id, name: body.name ?? id, created_at: Date.now() };
    await this.registry.commit(async (trx) => {
      if (!(await this.accounts.insert(trx, account))) throw new GatewayError('conflict', `There is an account ${id} already`);
    });
    return view(account);
  }

  /** All accounts for an admin key, else the key's own. */
  @ApiPage()
  @Get()
  async list(@BarePageQuery('text') page: Page, @CurrentPrincipal() principal: Principal): Promise<AccountListDto> {
    const { data, nextCursor } = pageOf(await this.accounts.list(principal.accountId, page), page.limit, (row) => row.id);
    return { data: data.map(view), nextCursor };
  }

  @Get(':id')
  async get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<AccountDto> {
    assertOwn(principal, id);
    return this.present(id);
  }

  @Patch(':id')
  @Accepts('application/json')
  async update(@Param('id') id: string, @Body() body: UpdateAccountDto, @CurrentPrincipal() principal: Principal): Promise<AccountDto> {
    assertOwn(principal, id);
    const { name } = body;
    if (name !== undefined) {
      await this.registry.commit(async (trx) => {
        if (!(await this.accounts.rename(trx, id, name ?? id))) throw noSuchAccount(id);
      });
    }
    return this.present(id);
  }

  /** Deletes it with its identities, filters, endpoints and sources, and revokes its keys. Its events stay. Needs an admin key. */
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<void> {
    assertAdmin(principal);
    if (id === DEFAULT_ACCOUNT) throw new GatewayError('conflict', 'The account default always exists');
    await this.registry.commit(async (trx) => {
      if (!(await this.accounts.remove(trx, id))) throw noSuchAccount(id);
    });
  }

  private async present(id: string): Promise<AccountDto> {
    const account = await this.accounts.find(id);
    if (!account) throw noSuchAccount(id);
    return view(account);
  }
}

const view = (row: AccountRow): AccountDto => ({ id: row.id, name: row.name, createdAt: new Date(row.created_at).toISOString() });
