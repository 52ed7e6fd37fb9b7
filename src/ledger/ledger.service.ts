import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { sql } from 'kysely';
import { isOutage } from '../core/errors';
import { LEDGER_COLUMNS, type LedgerRow, LedgerTally } from '../dispatcher/ledger-delta';
import { type Queryable, Storage } from '../storage/storage';
import { readSums } from './sums';

/** How often the deltas are folded, in milliseconds. */
const FOLD_EVERY_MS = 3_000;
/** Deltas in one transaction. */
const SLICE = 2_000;

/** The sum of the ledger: what was folded into `ledger_totals`, and the deltas since. */
@Injectable()
export class LedgerService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(LedgerService.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private folding: Promise<void> | undefined;

  constructor(private readonly storage: Storage) {}

  /** One row a source, in their order; of one moment. */
  sums(db: Queryable = this.storage.db): Promise<LedgerRow[]> {
    return readSums(db);
  }

  /** Folds what deltas there are; those that another process folds just now are left to it. */
  async fold(): Promise<void> {
    while (!this.stopped && (await this.foldSlice()) === SLICE);
  }

  onApplicationBootstrap(): void {
    this.schedule();
  }

  /** Resolves when no fold is under way: the storage is closed after this. */
  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.folding;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.folding = this.foldQuietly().then(() => this.schedule());
    }, FOLD_EVERY_MS).unref();
  }

  private async foldQuietly(): Promise<void> {
    try {
      await this.fold();
    } catch (error) {
      if (isOutage(error)) this.logger.debug('The ledger is folded once the storage is back');
      else this.logger.error('The ledger cannot be folded', error instanceof Error ? error.stack : String(error));
    }
  }

  /** @returns how many deltas it folded. */
  private foldSlice(): Promise<number> {
    return this.storage.transaction(async (trx) => {
      const slice = trx.selectFrom('ledger_deltas').select('id').orderBy('id').limit(SLICE);
      const deltas = await trx
        .deleteFrom('ledger_deltas')
        .where('id', 'in', this.storage.engine === 'postgres' ? slice.forUpdate().skipLocked() : slice)
        .returningAll()
        .execute();
      const totals = LedgerTally.of(deltas).rows();
      // Sorted: a process that folds another slice updates the same rows in the same order.
      totals.sort((a, b) => (a.source < b.source ? -1 : 1));
      if (totals.length > 0) {
        await trx
          .insertInto('ledger_totals')
          .values(totals)
          .onConflict((conflict) =>
            conflict
              .column('source')
              .doUpdateSet(
                Object.fromEntries(
                  LEDGER_COLUMNS.map((name) => [name, sql<number>`ledger_totals.${sql.ref(name)} + excluded.${sql.ref(name)}`]),
                ),
              ),
          )
          .execute();
      }
      return deltas.length;
    });
  }
}
