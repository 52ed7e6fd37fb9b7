import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type LedgerRow, LedgerTally, recordDelta } from '../dispatcher/ledger-delta';
import { type OperationalFact, ledgerImbalance } from '../dispatcher/operational/facts';
import { OperationalEvents } from '../dispatcher/operational/operational-events';
import { Chore, readChoreState } from '../storage/chore';
import { Storage } from '../storage/storage';
import { type Difference, differencesOf, isAlarm, pendingRepairs, rowOf } from './balance';
import { DoorCheck, type DoorState } from './door-check';
import { LedgerService } from './ledger.service';
import { countOpenEvents } from './open-events';
import { Repairs } from './repairs';

export const LEDGER_CHECK = { name: 'ledger-check', everyMs: 10_000 };
/** Counting open events takes at most this share of the time: a million of them take seconds, and are counted less often. */
const COUNTING_SHARE = 1 / 50;

/** What the last check found, for every process to show. */
export interface BalanceState {
  checkedAt: number;
  sources: string[];
  differences: Difference[];
  /** Sources whose alarm has been raised and not ended. */
  alarmed: string[];
  countedAt: number;
  countTookMs: number;
  door: DoorState;
}

export const NOTHING_CHECKED: BalanceState = {
  checkedAt: 0,
  sources: [],
  differences: [],
  alarmed: [],
  countedAt: -Infinity,
  countTookMs: 0,
  door: {},
};

/** Whether the sum holds; undefined before the first check. */
export const readBalance = (storage: Storage): Promise<BalanceState | undefined> => readChoreState(storage, LEDGER_CHECK.name);

/** Checks the ledger against itself and against the tables, one process at a time; mends what can be mended and alarms of the rest. */
@Injectable()
export class LedgerCheck implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(LedgerCheck.name);
  private readonly chore: Chore<BalanceState>;

  constructor(
    private readonly storage: Storage,
    private readonly ledger: LedgerService,
    private readonly door: DoorCheck,
    private readonly repairs: Repairs,
    private readonly events: OperationalEvents,
  ) {
    this.chore = new Chore<BalanceState>(storage, LEDGER_CHECK, (state) =>
      this.check(state ?? NOTHING_CHECKED, Date.now()).finally(() => this.repairs.tell()),
    );
  }

  onApplicationBootstrap(): void {
    this.chore.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.chore.stop();
  }

  /** One check. @returns what to give to the next. */
  async check(before: BalanceState, nowMs: number): Promise<BalanceState> {
    const { rows, open, tookMs } = await this.read(before, nowMs);
    const differences = differencesOf(rows, open, before.differences, nowMs);
    const mended = open === undefined ? [] : await this.mendPending(differences);
    const left = differences.filter(({ source }) => !mended.includes(source));
    return {
      checkedAt: nowMs,
      sources: rows.map((row) => row.source),
      differences: left,
      alarmed: await this.tell(left, before.alarmed, nowMs),
      countedAt: open === undefined ? before.countedAt : nowMs,
      countTookMs: open === undefined ? before.countTookMs : tookMs,
      door: await this.door.check(rows, before.door, nowMs),
    };
  }

  private async read(
    { countedAt, countTookMs }: BalanceState,
    nowMs: number,
  ): Promise<{ rows: LedgerRow[]; open?: Map<string, number>; tookMs: number }> {
    if (nowMs - countedAt < countTookMs / COUNTING_SHARE) return { rows: await this.ledger.sums(), tookMs: 0 };
    const startMs = performance.now();
    return this.storage.snapshot(async (db) => {
      const rows = await this.ledger.sums(db);
      const open = await countOpenEvents(db, this.storage.engine);
      return { rows, open, tookMs: performance.now() - startMs };
    });
  }

  /** @returns the sources that are in balance after it. */
  private async mendPending(differences: readonly Difference[]): Promise<string[]> {
    const repairs = pendingRepairs(differences);
    if (repairs.length === 0) return [];
    const tally = LedgerTally.of(repairs.map(({ source, by }) => rowOf(source, { pending: by })));
    await this.storage.transaction((trx) => recordDelta(trx, tally));
    for (const { source, by } of repairs) this.repairs.made('ledger_pending', [source], Math.abs(by));
    return repairs.map(({ source }) => source);
  }

  /** @returns the sources whose alarm is raised. */
  private async tell(differences: readonly Difference[], before: readonly string[], nowMs: number): Promise<string[]> {
    const lasting = differences.filter((difference) => isAlarm(difference, nowMs));
    const alarmed = [...new Set(lasting.map((difference) => difference.source))];
    const fresh = lasting.filter(({ source }) => !before.includes(source));
    if (fresh.length > 0) await this.storage.transaction((trx) => this.events.book(trx, fresh.map(factOf)));
    for (const difference of fresh) this.logger.warn(`The ledger of ${difference.source} is out of balance: ${inWords(difference)}`);
    const ended = before.filter((source) => !alarmed.includes(source));
    if (ended.length > 0) this.logger.log(`The ledger of ${ended.join(', ')} is in balance again`);
    return alarmed;
  }
}

const factOf = ({ since, ...difference }: Difference): OperationalFact =>
  ledgerImbalance({ ...difference, since: new Date(since).toISOString() });

const inWords = ({ check, expected, found }: Difference): string =>
  check === 'sum'
    ? `${expected} were accepted, ${found} are the sum of what became of them`
    : `${expected} events have an open delivery, ${found} are said to be pending`;
