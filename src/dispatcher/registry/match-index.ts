import type { Selectable } from 'kysely';
import type { FiltersTable } from '../../storage/schema';
import type { StoredEvent } from '../stored-event';
import type { EndpointRecord } from './endpoint-record';

/** What filters may ask about an event. */
export type MatchableEvent = Pick<StoredEvent, 'accountId' | 'application' | 'eventType' | 'level'>;

/** A filter in the index, with its endpoints looked up. */
export interface IndexedFilter {
  id: string;
  enabled: readonly EndpointRecord[];
  namesDisabled: boolean;
}

/** Stands for an empty list; no event has a symbol for a name, so a sender cannot ask for it. */
const ANY = Symbol('any');
type Name = string | typeof ANY;
type ByLevel = Map<Name, IndexedFilter[]>;
type ByType = Map<Name, ByLevel>;
type ByApplication = Map<Name, ByType>;

/**
 * Filters by account, application, event type and level, so that an event meets only those that match it: at most 1 + 2 + 4 + 8
 * look-ups, however many filters there are. A filter stands once for each combination of the names in its lists.
 */
export class MatchIndex {
  private readonly accounts = new Map<string, ByApplication>();

  constructor(filters: readonly Selectable<FiltersTable>[], endpoints: ReadonlyMap<string, EndpointRecord>) {
    for (const row of filters) {
      const filter = row.enabled === 1 ? resolve(row, endpoints) : undefined;
      if (filter) this.add(row, filter);
    }
  }

  /** Every enabled filter that names an existing endpoint and that matches by account, application, event type and level; each once. */
  candidates(event: MatchableEvent): readonly IndexedFilter[] {
    const applications = this.accounts.get(event.accountId);
    if (!applications) return [];
    const found: IndexedFilter[][] = [];
    for (const types of both(applications, event.application)) {
      for (const levels of both(types, event.eventType)) found.push(...both(levels, event.level));
    }
    const [only, ...more] = found;
    return more.length === 0 ? (only ?? []) : found.flat();
  }

  private add(row: Selectable<FiltersTable>, filter: IndexedFilter): void {
    const applications = branch(this.accounts, row.account_id);
    for (const application of names(row.applications)) {
      const types = branch(applications, application);
      for (const eventType of names(row.event_types)) {
        const levels: ByLevel = branch(types, eventType);
        for (const level of names(row.levels)) levels.set(level, [...(levels.get(level) ?? []), filter]);
      }
    }
  }
}

/** What stands under the name itself and under "any". Without a name (an event without a level) only the latter. */
function both<T>(map: ReadonlyMap<Name, T>, name: string | null): T[] {
  const exact = name === null ? undefined : map.get(name);
  const any = map.get(ANY);
  if (exact === undefined) return any === undefined ? [] : [any];
  return any === undefined ? [exact] : [exact, any];
}

/** The list's names, each once, so that a filter is never found twice; an empty list is "any". */
function names(json: string): Name[] {
  const list = JSON.parse(json) as string[];
  return list.length === 0 ? [ANY] : [...new Set(list)];
}

function branch<K, T extends Map<Name, unknown>>(map: Map<K, T>, key: K): T {
  const existing = map.get(key);
  if (existing) return existing;
  const made = new Map() as T;
  map.set(key, made);
  return made;
}

/** Undefined when none of its endpoints exists in the filter's own account: it can deliver nothing. */
function resolve(row: Selectable<FiltersTable>, endpoints: ReadonlyMap<string, EndpointRecord>): IndexedFilter | undefined {
  const named = [...new Set(JSON.parse(row.endpoint_ids) as string[])]
    .map((id) => endpoints.get(id))
    .filter((endpoint) => endpoint?.accountId === row.account_id) as EndpointRecord[];
  if (named.length === 0) return undefined;
  const enabled = named.filter((endpoint) => endpoint.enabled);
  return { id: row.id, enabled, namesDisabled: enabled.length < named.length };
}
