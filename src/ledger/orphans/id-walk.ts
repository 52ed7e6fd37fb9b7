import { setImmediate } from 'node:timers/promises';
import { firstIdAt } from '../../core/ids';
import type { Engine, Queryable } from '../../storage/storage';

/** Rows with ids from above `after` up to and with `upTo`. */
export interface IdRange {
  after: string;
  upTo: string;
}

/** How far two walks have come: one goes after the newest rows, the other again and again through all. */
export interface WalkState {
  fresh: string;
  full: string;
}

/** Rows may be committed so long after their ids were made. */
const MARGIN_MS = 60_000;
/** Rows in one statement: on the embedded store it holds up the event loop. */
const SLICE = { sqlite: 500, postgres: 5_000 } as const satisfies Record<Engine, number>;
/** Slices in one turn; what is new and what is old each. */
const SLICES = { sqlite: { fresh: 40, full: 10 }, postgres: { fresh: 20, full: 4 } } as const satisfies Record<
  Engine,
  Record<keyof WalkState, number>
>;

/**
 * Walks a table in the order of its ids: what came since the last turn, and the next part of all. A table of millions of rows is not
 * read at each turn, yet in the end all of it is.
 * @param oldest No row below it is looked at.
 */
export async function walk(
  on: { db: Queryable; engine: Engine; table: 'events' | 'deliveries' },
  before: WalkState | undefined,
  { oldest, nowMs }: { oldest: string; nowMs: number },
  look: (range: IdRange) => Promise<void>,
): Promise<WalkState> {
  const newest = firstIdAt(nowMs - MARGIN_MS);
  const state = { fresh: later(before?.fresh ?? oldest, oldest), full: later(before?.full ?? oldest, oldest) };
  const slices = SLICES[on.engine];
  state.fresh = await go(on, { after: state.fresh, upTo: newest }, slices.fresh, look);
  state.full = await go(on, { after: state.full, upTo: newest }, slices.full, look);
  if (state.full === newest) state.full = oldest;
  return state;
}

/** @returns up to where everything was looked at. */
async function go(
  { db, engine, table }: { db: Queryable; engine: Engine; table: 'events' | 'deliveries' },
  range: IdRange,
  slices: number,
  look: (range: IdRange) => Promise<void>,
): Promise<string> {
  let { after } = range;
  for (let slice = 0; slice < slices && after < range.upTo; slice++) {
    const last = await db
      .selectFrom(table)
      .select('id')
      .where('id', '>', after)
      .where('id', '<=', range.upTo)
      .orderBy('id')
      .limit(1)
      .offset(SLICE[engine] - 1)
      .executeTakeFirst();
    const upTo = last?.id ?? range.upTo;
    await look({ after, upTo });
    after = upTo;
    // The embedded store answers at once: without a pause nothing else would run.
    await setImmediate();
  }
  return after;
}

const later = (a: string, b: string): string => (a > b ? a : b);
