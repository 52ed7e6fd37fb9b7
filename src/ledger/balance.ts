import { LEDGER_COLUMNS, type LedgerRow } from '../dispatcher/ledger-delta';

/** How long a difference must last to be an alarm, in milliseconds. */
export const ALARM_AFTER_MS = 60_000;

/**
 * `sum`: accepted against the sum of what became of it. `pending`: events that really have an open delivery against those that the
 * ledger says have one.
 */
export type BalanceCheck = 'sum' | 'pending';

export interface Difference {
  source: string;
  check: BalanceCheck;
  expected: number;
  found: number;
  /** Since when there is one, in milliseconds since 1970; its size may have changed since. */
  since: number;
}

/** @param open How many events of each source have an open delivery, of the same moment; undefined: not counted this time. */
export function differencesOf(
  rows: readonly LedgerRow[],
  open: ReadonlyMap<string, number> | undefined,
  before: readonly Difference[],
  nowMs: number,
): Difference[] {
  const found: Omit<Difference, 'since'>[] = rows.map((row) => ({
    source: row.source,
    check: 'sum',
    expected: row.accepted,
    found: row.delivered + row.filtered + row.duplicate + row.dead + row.cancelled + row.pending,
  }));
  if (open) found.push(...pendingOf(rows, open));
  const known = new Map(before.map((difference) => [keyOf(difference), difference]));
  const differences = found
    .filter((difference) => difference.expected !== difference.found)
    .map((difference) => ({ ...difference, since: known.get(keyOf(difference))?.since ?? nowMs }));
  // What was not looked at is as it was.
  return open ? differences : [...differences, ...before.filter((difference) => difference.check === 'pending')];
}

/** By how much the ledger's `pending` must change where that alone explains both differences of a source. */
export function pendingRepairs(differences: readonly Difference[]): { source: string; by: number }[] {
  return differences
    .filter((difference) => difference.check === 'pending')
    .flatMap(({ source, expected, found }) => {
      const sum = differences.find((other) => other.check === 'sum' && other.source === source);
      return sum && sum.found - sum.expected === found - expected ? [{ source, by: expected - found }] : [];
    });
}

export const isAlarm = (difference: Difference, nowMs: number): boolean => nowMs - difference.since >= ALARM_AFTER_MS;

export const rowOf = (source: string, changes: Partial<LedgerRow>): LedgerRow => ({
  ...(Object.fromEntries(LEDGER_COLUMNS.map((name) => [name, 0])) as Omit<LedgerRow, 'source'>),
  ...changes,
  source,
});

function pendingOf(rows: readonly LedgerRow[], open: ReadonlyMap<string, number>): Omit<Difference, 'since'>[] {
  const pending = new Map(rows.map((row) => [row.source, row.pending]));
  return [...new Set([...pending.keys(), ...open.keys()])].map((source) => ({
    source,
    check: 'pending',
    expected: open.get(source) ?? 0,
    found: pending.get(source) ?? 0,
  }));
}

const keyOf = ({ source, check }: Pick<Difference, 'source' | 'check'>): string => `${check} ${source}`;
