import type { Condition } from '../../core/conditions/condition';
import { parseCondition } from '../../core/conditions/parse-condition';

/** Undefined: there is none. One that cannot be read was written past the API, or by a later version; it matches nothing. */
export type StoredCondition = Condition | 'unreadable' | undefined;

/** The condition of a filter. @param where As it is kept; null: none. */
export function conditionOf(where: unknown): StoredCondition {
  if (where === null) return undefined;
  return (typeof where === 'object' && parseCondition(where as Record<string, unknown>, [])) || 'unreadable';
}

/** The condition of a filter's row. @param where Its JSON text. */
export function readStored(where: string | null): StoredCondition {
  if (where === null) return undefined;
  try {
    return conditionOf(JSON.parse(where) ?? 'null');
  } catch {
    return 'unreadable';
  }
}
