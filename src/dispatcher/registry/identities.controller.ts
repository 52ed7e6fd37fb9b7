import { Body, Controller, Delete, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../../auth/principal';
import { ACCOUNT_ID } from '../../core/account-id';
import { GatewayError } from '../../core/errors';
import { Accepts } from '../../http/accepts';
import { BarePageQuery, type Page, pageOf } from '../../http/page';
import { ApiPage } from '../api-page';
import { assertAdmin, assertOwn, noSuchAccount } from './account-scope';
import { CreateIdentityDto, type IdentityDto, type IdentityListDto } from './accounts.dto';
import { AccountsRepository } from './accounts.repository';
import { IdentitiesRepository, type IdentityRow, cursorOf } from './identities.repository';
import { IdentityCredentials } from './identity-credentials';
import { RegistryChange } from './registry-change';

/**
 * Who on a platform belongs to which account. Only an admin key may change that: whoever claims a page gets its messages, and
 * nothing here proves that a page is the claimant's.
 */
@ApiTags('accounts')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/accounts/:id/identities')
export class IdentitiesController {
  constructor(
    private readonly accounts: AccountsRepository,
    private readonly identities: IdentitiesRepository,
    private readonly credentials: IdentityCredentials,
    private readonly registry: RegistryChange,
  ) {}

  /**
   * Maps an identity to the account, which appears if it is new; again the same is no error and replaces its credentials where they are
   * given, one of another account is 409. Needs an admin key.
   */
  @Post()
  @Accepts('application/json')
  async create(@Param('id') id: string, @Body() body: CreateIdentityDto, @CurrentPrincipal() principal: Principal): Promise<IdentityDto> {
    assertOwn(principal, id);
    assertAdmin(principal);
    if (!ACCOUNT_ID.test(id)) throw noSuchAccount(id);
    const wanted = { channel: body.channel, external_id: body.externalId, account_id: id, created_at: Date.now() };
    return this.registry.commit(async (trx) => {
      await this.accounts.ensure(trx, id);
      const row = await this.identities.claim(trx, wanted);
      if (row.account_id !== id) throw new GatewayError('conflict', `${body.channel} ${body.externalId} belongs to another account`);
      if (body.credentials === undefined) return view(row);
      return view({ ...row, ...(await this.credentials.write(trx, row, body.credentials)) });
    });
  }

  @Get()
  @ApiPage()
  async list(
    @Param('id') id: string,
    @BarePageQuery('text') page: Page,
    @CurrentPrincipal() principal: Principal,
  ): Promise<IdentityListDto> {
    assertOwn(principal, id);
    await this.assertExists(id);
    const { data, nextCursor } = pageOf(await this.identities.list(id, page), page.limit, cursorOf);
    return { data: data.map(view), nextCursor };
  }

  /** Takes an identity from the account; its webhooks then go to the account `default`. Needs an admin key. */
  @Delete(':channel/:externalId')
  @HttpCode(204)
  async remove(
    @Param('id') id: string,
    @Param('channel') channel: string,
    @Param('externalId') externalId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    assertOwn(principal, id);
    assertAdmin(principal);
    await this.registry.commit(async (trx) => {
      if (!(await this.identities.remove(trx, id, channel, externalId))) {
        throw new GatewayError('not_found', `The account has no identity ${channel} ${externalId}`);
      }
    });
  }

  private async assertExists(id: string): Promise<void> {
    if (!(await this.accounts.find(id))) throw noSuchAccount(id);
  }
}

const view = (row: IdentityRow): IdentityDto => ({
  channel: row.channel,
  externalId: row.external_id,
  accountId: row.account_id,
  hasCredentials: row.credentials !== null,
  createdAt: new Date(row.created_at).toISOString(),
});
