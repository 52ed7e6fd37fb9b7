import { type Path, someValue } from '../../core/conditions/condition-path';
import { subjectOf } from './event-subject';
import type { IndexedFilter, MatchableEvent } from './match-index';

/** Filters that want one path to have one of some values. */
interface Keyed {
  path: Path;
  byValue: Map<unknown, Set<IndexedFilter>>;
}

/** The filters of one combination of names. */
export class Leaf<R> {
  /** Those that match every event that comes here. */
  readonly plain = new Set<IndexedFilter>();
  /** What the reader of the index made of `plain`; gone when they change. */
  result: R | undefined;
  /** Those that have to be asked about each event; of most leaves there are none. */
  private asked: Set<IndexedFilter> | undefined;
  /** Those that need be asked only where a path has a value that they want, by the path. */
  private keyed: Map<string, Keyed> | undefined;

  get isEmpty(): boolean {
    return this.plain.size === 0 && !this.isOpen;
  }

  /** It depends on the event who matches. */
  get isOpen(): boolean {
    return this.asked !== undefined || this.keyed !== undefined;
  }

  add(filter: IndexedFilter): void {
    const { rest, key } = filter;
    if (rest === undefined) {
      this.plain.add(filter);
      this.result = undefined;
    } else if (key === undefined) {
      (this.asked ??= new Set()).add(filter);
    } else {
      const keyed = (this.keyed ??= new Map<string, Keyed>());
      let ofPath = keyed.get(key.path.text);
      if (!ofPath) keyed.set(key.path.text, (ofPath = { path: key.path, byValue: new Map() }));
      for (const value of key.values) {
        const filters = ofPath.byValue.get(value);
        if (filters) filters.add(filter);
        else ofPath.byValue.set(value, new Set([filter]));
      }
    }
  }

  remove(filter: IndexedFilter): void {
    if (this.plain.delete(filter)) this.result = undefined;
    if (this.asked?.delete(filter) && this.asked.size === 0) this.asked = undefined;
    const { key } = filter;
    const ofPath = key && this.keyed?.get(key.path.text);
    if (!key || !ofPath) return;
    for (const value of key.values) {
      const filters = ofPath.byValue.get(value);
      if (filters?.delete(filter) && filters.size === 0) ofPath.byValue.delete(value);
    }
    if (ofPath.byValue.size === 0) this.keyed?.delete(key.path.text);
    if (this.keyed?.size === 0) this.keyed = undefined;
  }

  /** Those beside the plain ones that match the event, each once. */
  matching(event: MatchableEvent): IndexedFilter[] {
    const found: IndexedFilter[] = [];
    for (const filter of this.asked ?? []) if (filter.rest?.(event)) found.push(filter);
    for (const { path, byValue } of this.keyed?.values() ?? []) {
      // Several values of one event may lead to the same filter.
      const candidates = new Set<IndexedFilter>();
      someValue(path, subjectOf(event), true, (value) => {
        for (const filter of byValue.get(value) ?? []) candidates.add(filter);
        return false;
      });
      for (const filter of candidates) if (filter.rest?.(event)) found.push(filter);
    }
    return found;
  }
}
