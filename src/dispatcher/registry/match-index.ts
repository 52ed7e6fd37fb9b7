import type { Selectable } from 'kysely';
import type { FiltersTable } from '../../storage/schema';
import type { StoredEvent } from '../stored-event';
import type { EndpointRecord } from './endpoint-record';

/** What filters may ask about an event. */
export type MatchableEvent = Pick<StoredEvent, 'accountId' | 'application' | 'eventType' | 'level'>;

/** Where an endpoint stands, if it does: filters that name it need not know when it changes. */
export interface EndpointRef {
  record: EndpointRecord | undefined;
}

/** A filter in the index. */
export interface IndexedFilter {
  id: string;
  accountId: string;
  /** Each once; of another account they count as missing. */
  endpoints: readonly EndpointRef[];
  /** What the index leaves open, to be asked of each event that meets the filter; undefined when it leaves nothing open. */
  rest: ((event: MatchableEvent) => boolean) | undefined;
  places: Lists;
}

/**
 * Most places that one filter takes. Three lists of 200 names would make 8 million of them and fill the memory; a filter of more
 * combinations than this stands under "any" for its longest list, and that list is looked into for each event that meets it.
 */
const MAX_PLACES = 256;

/**
 * Of the gateway's own events. A filter that names neither an application nor an event type asks for what comes in, not for what the
 * gateway says of itself: its endpoint would get more than was sent.
 */
export const GATEWAY_APPLICATION = 'hookline';

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
  private readonly filters = new Map<string, IndexedFilter>();

  /** Puts the filter in the place of what stood under its id. @param refOf where an endpoint stands. */
  set(row: Selectable<FiltersTable>, refOf: (endpointId: string) => EndpointRef): void {
    this.remove(row.id);
    const named = [...new Set(JSON.parse(row.endpoint_ids) as string[])];
    if (row.enabled === 1 && named.length > 0) this.add(row, named.map(refOf));
  }

  remove(id: string): void {
    const filter = this.filters.get(id);
    if (!filter) return;
    this.filters.delete(id);
    const { accountId, places } = filter;
    const applications = this.accounts.get(accountId);
    for (const application of places.application) {
      const types = applications?.get(application);
      for (const eventType of places.eventType) {
        const levels = types?.get(eventType);
        for (const level of places.level) leave(levels, level, filter);
        if (levels?.size === 0) types?.delete(eventType);
      }
      if (types?.size === 0) applications?.delete(application);
    }
    if (applications?.size === 0) this.accounts.delete(accountId);
  }

  /** Every enabled filter that matches by all that the index knows, each once; ask its `rest`. */
  candidates(event: MatchableEvent): readonly IndexedFilter[] {
    const applications = this.accounts.get(event.accountId);
    if (!applications) return [];
    const found: IndexedFilter[][] = [];
    const openTypes = event.application === GATEWAY_APPLICATION ? applications.get(ANY) : undefined;
    for (const types of both(applications, event.application)) {
      const named = types === openTypes ? only(types, event.eventType) : both(types, event.eventType);
      for (const levels of named) found.push(...both(levels, event.level));
    }
    const [single, ...more] = found;
    return more.length === 0 ? (single ?? []) : found.flat();
  }

  private add(row: Selectable<FiltersTable>, endpoints: readonly EndpointRef[]): void {
    const { places, open } = placesOf({
      application: names(row.applications),
      eventType: names(row.event_types),
      level: names(row.levels),
    });
    const filter: IndexedFilter = { id: row.id, accountId: row.account_id, endpoints, rest: restOf(open), places };
    this.filters.set(row.id, filter);
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

const only = <T>(map: ReadonlyMap<Name, T>, name: string): T[] => {
  const exact = map.get(name);
  return exact === undefined ? [] : [exact];
};

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

function leave(levels: ByLevel | undefined, level: Name, filter: IndexedFilter): void {
  const filters = levels?.get(level);
  const index = filters?.indexOf(filter) ?? -1;
  if (index < 0) return;
  filters?.splice(index, 1);
  if (filters?.length === 0) levels?.delete(level);
}
