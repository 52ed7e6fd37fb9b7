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
  /** What the index leaves open, to be asked of each event that meets the filter; undefined when it leaves nothing open. */
  rest: ((event: MatchableEvent) => boolean) | undefined;
}

/**
 * Most places that one filter takes. Three lists of 200 names would make 8 million of them and fill the memory; a filter of more
 * combinations than this stands under "any" for its longest list, and that list is looked into for each event that meets it.
 */
const MAX_PLACES = 256;

/** Stands for an empty list; no event has a symbol for a name, so a sender cannot ask for it. */
const ANY = Symbol('any');
type Name = string | typeof ANY;
type ByLevel = Map<Name, IndexedFilter[]>;
type ByType = Map<Name, ByLevel>;
type ByApplication = Map<Name, ByType>;

/**
 * Filters by account, application, event type and level, so that an event meets only those that match it: at most 1 + 2 + 4 + 8
 * look-ups, however many filters there are. A filter stands once for each combination of the names in its lists, as far as they
 * are not too many.
 */
export class MatchIndex {
  private readonly accounts = new Map<string, ByApplication>();

  constructor(filters: readonly Selectable<FiltersTable>[], endpoints: ReadonlyMap<string, EndpointRecord>) {
    for (const row of filters) {
      const named = row.enabled === 1 ? existing(row, endpoints) : [];
      if (named.length > 0) this.add(row, named);
    }
  }

  /** Every enabled filter that names an existing endpoint and matches by all that the index knows, each once; ask its `rest`. */
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

  private add(row: Selectable<FiltersTable>, named: readonly EndpointRecord[]): void {
    const { places, open } = placesOf({
      application: names(row.applications),
      eventType: names(row.event_types),
      level: names(row.levels),
    });
    const enabled = named.filter((endpoint) => endpoint.enabled);
    const filter: IndexedFilter = { id: row.id, enabled, namesDisabled: enabled.length < named.length, rest: restOf(open) };
    const applications = branch(this.accounts, row.account_id);
    for (const application of places.application) {
      const types = branch(applications, application);
      for (const eventType of places.eventType) {
        const levels: ByLevel = branch(types, eventType);
        for (const level of places.level) {
          const filters = levels.get(level);
          if (filters) filters.push(filter);
          else levels.set(level, [filter]);
        }
      }
    }
  }
}

type Field = 'application' | 'eventType' | 'level';
type Lists = Record<Field, readonly Name[]>;

/** Takes the longest lists out of the index, until what is left has few enough combinations. */
function placesOf(lists: Lists): { places: Lists; open: Map<Field, ReadonlySet<Name>> } {
  const places = { ...lists };
  const open = new Map<Field, ReadonlySet<Name>>();
  while (places.application.length * places.eventType.length * places.level.length > MAX_PLACES) {
    const [longest] = (Object.keys(places) as Field[]).sort((a, b) => places[b].length - places[a].length) as [Field];
    open.set(longest, new Set(places[longest]));
    places[longest] = [ANY];
  }
  return { places, open };
}

function restOf(open: ReadonlyMap<Field, ReadonlySet<Name>>): IndexedFilter['rest'] {
  if (open.size === 0) return undefined;
  return (event) =>
    [...open].every(([field, wanted]) => {
      const name = event[field];
      return name !== null && wanted.has(name);
    });
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

/** The endpoints that a filter names, as far as they exist in its own account. */
function existing(row: Selectable<FiltersTable>, endpoints: ReadonlyMap<string, EndpointRecord>): EndpointRecord[] {
  return [...new Set(JSON.parse(row.endpoint_ids) as string[])]
    .map((id) => endpoints.get(id))
    .filter((endpoint) => endpoint?.accountId === row.account_id) as EndpointRecord[];
}
