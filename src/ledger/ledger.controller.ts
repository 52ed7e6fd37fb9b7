import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { ApiKeyGuard } from '../auth/api-key.guard';
import { CurrentPrincipal, type Principal } from '../auth/principal';
import { GatewayError } from '../core/errors';
import { Storage } from '../storage/storage';
import { type LedgerDto, ledgerView } from './ledger.dto';
import { readBalance } from './ledger-check.service';
import { LedgerService } from './ledger.service';

@ApiTags('ledger')
@ApiBearerAuth()
@UseGuards(ApiKeyGuard)
@Controller('api/v1/ledger')
export class LedgerController {
  constructor(
    private readonly ledger: LedgerService,
    private readonly storage: Storage,
  ) {}

  /** What became of every event that was ever accepted, in all and by source. For admin keys: it tells of all accounts. */
  @Get()
  async read(@CurrentPrincipal() principal: Principal): Promise<LedgerDto> {
    if (principal.accountId !== null) throw new GatewayError('forbidden', 'The ledger is for admin keys');
    const [rows, balance] = await Promise.all([this.ledger.sums(), readBalance(this.storage)]);
    return ledgerView(rows, balance);
  }
}
