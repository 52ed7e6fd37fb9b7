import { Injectable } from '@nestjs/common';
import { setImmediate as turn } from 'node:timers/promises';
import { type Principal, accountOf } from '../../auth/principal';
import { GatewayError } from '../../core/errors';
import type { WithheldReason } from '../../core/hook-event';
import { firstIdAt } from '../../core/ids';
import { Storage } from '../../storage/storage';
import { type EventPayload, UNASKED, payloadSlices } from '../event-payloads';
import { TEST_SOURCE } from '../recovery/test-event';
import { type FilterRecord, FiltersRepository } from '../registry/filters.repository';
import { newFilter, noSuchFilter, patchedFilter } from '../registry/filters.service';
import { isWantedBy } from './explain-filter';
import type { BacktestDifferenceDto, BacktestDto, BacktestEventDto, BacktestFilterDto, BacktestResultDto } from './explain.dto';

const DEFAULT_EVENTS = 1_000;
const ROWS = 500;
const MAX_MS = 10_000;
const MAX_EXAMPLES = 20;
const OWN_BOT: WithheldReason = 'own_bot';

/** Both forms of a filter: as it would be, and as it is. */
interface Pair {
  next: FilterRecord;
  present: FilterRecord | undefined;
}

/** Says what a filter would have matched, had it been there. */
@Injectable()
export class BacktestService {
  constructor(
    private readonly storage: Storage,
    private readonly filters: FiltersRepository,
  ) {}

  /** @throws GatewayError `validation_failed` as the change itself would, `not_found`. */
  async run({ filter, since, limit = DEFAULT_EVENTS }: BacktestDto, principal: Principal): Promise<BacktestResultDto> {
    const pair = await this.pairOf(filter, principal);
    const comparison = new Comparison(pair);
    const deadline = Date.now() + MAX_MS;
    const first = since === undefined ? undefined : firstIdAt(Date.parse(since));
    let before: string | undefined;
    let examined = 0;
    while (examined < limit && Date.now() < deadline) {
      const wanted = Math.min(ROWS, limit - examined);
      const rows = await this.page(pair.next.accountId, first, before, wanted);
      await this.compare(rows, comparison);
      examined += rows.length;
      before = rows.at(-1)?.id;
      if (rows.length < wanted) return { examined, complete: true, ...comparison.result() };
      await turn();
    }
    const complete = (await this.page(pair.next.accountId, first, before, 1)).length === 0;
    return { examined, complete, ...comparison.result() };
  }

  private async pairOf({ id, ...patch }: BacktestFilterDto, principal: Principal): Promise<Pair> {
    if (id === undefined || id === null) {
      const accountId = accountOf(principal, patch.accountId ?? undefined);
      return { next: changed(newFilter(accountId, Date.now()), patch), present: undefined };
    }
    const present = await this.filters.find(id, principal.accountId);
    if (!present) throw noSuchFilter(id);
    return { next: changed(present, patch), present };
  }

  /** Events that filters are asked about at all: neither examples nor what is withheld from everybody. */
  private page(account: string, first: string | undefined, before: string | undefined, limit: number) {
    return this.storage.db
      .selectFrom('events')
      .select(['id', 'account_id as accountId', 'application', 'event_type as eventType', 'level'])
      .where('account_id', '=', account)
      .where('source', '!=', TEST_SOURCE)
      .where((eb) => eb.or([eb('filtered_reason', 'is', null), eb('filtered_reason', '!=', OWN_BOT)]))
      .$if(first !== undefined, (query) => query.where('id', '>=', first as string))
      .$if(before !== undefined, (query) => query.where('id', '<', before as string))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
  }

  /** Payloads are read only of events that pass all else. */
  private async compare(rows: readonly Omit<EventPayload, keyof typeof UNASKED>[], comparison: Comparison): Promise<void> {
    const asked = comparison.asksForContent ? rows.filter((row) => comparison.mayConcern({ ...row, ...UNASKED })) : [];
    if (!comparison.asksForContent) for (const row of rows) comparison.add({ ...row, ...UNASKED });
    const ids = asked.map(({ id }) => id);
    for await (const slice of payloadSlices(this.storage.db, this.storage.engine, ids)) {
      for (const event of slice) comparison.add(event);
      await turn();
    }
  }
}

/** Problems are named by where they stand in the request. */
function changed(filter: FilterRecord, patch: Omit<BacktestFilterDto, 'id'>): FilterRecord {
  try {
    return patchedFilter(filter, patch);
  } catch (error) {
    if (!(error instanceof GatewayError) || !error.problems) throw error;
    const problems = error.problems.map(({ path, message }) => ({ path: `filter.${path}`, message }));
    throw new GatewayError(error.code, error.message, { problems });
  }
}

class Comparison {
  readonly asksForContent: boolean;
  readonly mayConcern: (event: EventPayload) => boolean;
  private readonly would: (event: EventPayload) => boolean;
  private readonly does: (event: EventPayload) => boolean;
  private readonly found = { matched: nothing(), added: nothing(), removed: nothing() };

  constructor({ next, present }: Pair) {
    const both = present ? [next, present] : [next];
    const named = both.map((filter) => isWantedBy({ ...filter, where: null }));
    this.asksForContent = both.some(({ where }) => where !== null);
    this.mayConcern = (event) => named.some((isWanted) => isWanted(event));
    this.would = isWantedBy(next);
    this.does = present ? isWantedBy(present) : () => false;
  }

  add(event: EventPayload): void {
    const [would, does] = [this.would(event), this.does(event)];
    if (would) note(this.found.matched, event);
    if (would && !does) note(this.found.added, event);
    if (does && !would) note(this.found.removed, event);
  }

  result(): Record<'matched' | 'added' | 'removed', BacktestDifferenceDto> {
    return this.found;
  }
}

const nothing = (): BacktestDifferenceDto => ({ count: 0, examples: [] });

function note(difference: BacktestDifferenceDto, { id, application, eventType, level }: EventPayload): void {
  difference.count += 1;
  const example: BacktestEventDto = { id, application, eventType, level };
  if (difference.examples.length < MAX_EXAMPLES) difference.examples.push(example);
}
