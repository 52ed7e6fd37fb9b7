import type { Selectable } from 'kysely';
import type { FiltersTable } from '../../storage/schema';
import type { Key } from '../../core/conditions/condition';
import type { StoredEvent } from '../stored-event';
import type { EndpointRecord } from './endpoint-record';
import { type AskableEvent, subjectOf } from './event-subject';
import { type StoredCondition, readStored } from './filter-condition';
import { Leaf } from './leaf';

/** What filters may ask about an event. */
export type MatchableEvent = AskableEvent & Pick<StoredEvent, 'to'>;

/** Its names alone. */
export type NamedEvent = Pick<StoredEvent, 'accountId' | 'application' | 'eventType' | 'level'>;

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
  /** A value that the event must have for `rest` to be true; undefined when it need have none. */
  key: Key | undefined;
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

/** One field's names: what stands under each, and what under "any". */
class Branch<T> {
  any: T | undefined;
  readonly named = new Map<string, T>();

  get isEmpty(): boolean {
    return this.any === undefined && this.named.size === 0;
  }

  get(name: Name): T | undefined {
    return name === ANY ? this.any : this.named.get(name);
  }

  set(name: Name, made: T): T {
    if (name === ANY) this.any = made;
    else this.named.set(name, made);
    return made;
  }

  delete(name: Name): void {
    if (name === ANY) this.any = undefined;
    else this.named.delete(name);
  }
}

type ByLevel<R> = Branch<Leaf<R>>;
type ByType<R> = Branch<ByLevel<R>>;
type ByApplication<R> = Branch<ByType<R>>;

/**
 * Filters by account, application, event type and level, so that an event meets only those that match it: at most 1 + 2 + 4 + 8
 * look-ups, however many filters there are. A filter stands once for each combination of the names in its lists, as far as they
 * are not too many.
 */
export class MatchIndex<R> {
  private readonly accounts = new Map<string, ByApplication<R>>();
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
        if (levels?.isEmpty) types?.delete(eventType);
      }
      if (types?.isEmpty) applications?.delete(application);
    }
    if (applications?.isEmpty) this.accounts.delete(accountId);
  }

  /** Where every enabled filter stands that may match, each once. */
  leaves({ accountId, application, eventType, level }: NamedEvent): Leaf<R>[] {
    const found: Leaf<R>[] = [];
    const applications = this.accounts.get(accountId);
    if (!applications) return found;
    const { any } = applications;
    collectTypes(applications.named.get(application), true);
    // Where it is the gateway's own, a filter has to name the one or the other.
    collectTypes(any, application !== GATEWAY_APPLICATION);
    return found;

    function collectTypes(types: ByType<R> | undefined, isAnyEnough: boolean): void {
      if (!types) return;
      collectLevels(types.named.get(eventType));
      if (isAnyEnough) collectLevels(types.any);
    }

    function collectLevels(levels: ByLevel<R> | undefined): void {
      if (!levels) return;
      const exact = level === null ? undefined : levels.named.get(level);
      if (exact) found.push(exact);
      if (levels.any) found.push(levels.any);
    }
  }

  private add(row: Selectable<FiltersTable>, endpoints: readonly EndpointRef[]): void {
    const { places, open } = placesOf({
      application: names(row.applications),
      eventType: names(row.event_types),
      level: names(row.levels),
    });
    const condition = readStored(row.where);
    const filter: IndexedFilter = {
      id: row.id,
      accountId: row.account_id,
      endpoints,
      rest: restOf(open, condition),
      key: typeof condition === 'object' ? condition.key : undefined,
      places,
    };
    this.filters.set(row.id, filter);
    let applications = this.accounts.get(row.account_id);
    if (!applications) this.accounts.set(row.account_id, (applications = new Branch()));
    for (const application of places.application) {
      const types = applications.get(application) ?? applications.set(application, new Branch());
      for (const eventType of places.eventType) {
        const levels = types.get(eventType) ?? types.set(eventType, new Branch());
        for (const level of places.level) {
          (levels.get(level) ?? levels.set(level, new Leaf())).add(filter);
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

function restOf(open: ReadonlyMap<Field, ReadonlySet<Name>>, condition: StoredCondition): IndexedFilter['rest'] {
  const isInLists = open.size === 0 ? undefined : inLists(open);
  if (condition === undefined) return isInLists;
  if (condition === 'unreadable') return () => false;
  if (isInLists === undefined) return (event) => condition.holds(subjectOf(event));
  return (event) => isInLists(event) && condition.holds(subjectOf(event));
}

const inLists =
  (open: ReadonlyMap<Field, ReadonlySet<Name>>) =>
  (event: MatchableEvent): boolean =>
    [...open].every(([field, wanted]) => {
      const name = event[field];
      return name !== null && wanted.has(name);
    });

/** The list's names, each once, so that a filter is never found twice; an empty list is "any". */
function names(json: string): Name[] {
  const list = JSON.parse(json) as string[];
  return list.length === 0 ? [ANY] : [...new Set(list)];
}

function leave<R>(levels: ByLevel<R> | undefined, level: Name, filter: IndexedFilter): void {
  const leaf = levels?.get(level);
  leaf?.remove(filter);
  if (leaf?.isEmpty) levels?.delete(level);
}
