import type { Condition } from '../../core/conditions/condition';
import { parseCondition } from '../../core/conditions/parse-condition';

/** Undefined: there is none. One that cannot be read was written past the API, or by a later version; it matches nothing. */
export type StoredCondition = Condition | 'unreadable' | undefined;

/** The condition of a filter. @param where As it is kept; null: none. */
export function conditionOf(where: unknown): StoredCondition {
  if (where === null) return undefined;
  return (typeof where === 'object' && parseCondition(where as Record<string, unknown>, [])) || 'unreadable';
}

/** Those of rows read of late, by their text: filters that ask for the same have one condition, which stays at hand. */
const shared = new Map<string, StoredCondition>();
const MAX_SHARED = 10_000;

/** The condition of a filter's row. @param where Its JSON text. */
export function readStored(where: string | null): StoredCondition {
  if (where === null) return undefined;
  const known = shared.get(where);
  if (known !== undefined) return known;
  const read = parsed(where);
  if (shared.size >= MAX_SHARED) shared.clear();
  shared.set(where, read);
  return read;
}

function parsed(where: string): StoredCondition {
  try {
    return conditionOf(JSON.parse(where) ?? 'null');
  } catch {
    return 'unreadable';
  }
}
