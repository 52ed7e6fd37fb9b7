import type { DispatchOutcome } from '../core/hook-event';
import type { DispatchPlan, PlannedEvent, PlannedRequest } from './dispatch-plan';

/** An earlier event that has a key. */
export interface KeyHolder {
  eventId: string;
  requestId: string;
}

export interface ResolvedRequest {
  request: PlannedRequest;
  outcomes: DispatchOutcome[];
  /** Events that no one has had before. */
  fresh: PlannedEvent[];
  duplicates: number;
  /**
   * `first`: it is dispatched for the first time; `again`: it was dispatched before, so nothing of it is counted but what is fresh
   * all the same; `unknown`: nothing of it is fresh and nothing bears its id, so only its mark can tell.
   */
  seen: 'first' | 'again' | 'unknown';
}

/**
 * Says for each event whether it is new, another's duplicate, or what this very request brought before (a redelivery).
 * @param newKeys keys that this transaction inserted.
 * @param holders who has each of the other keys.
 */
export function resolveGroup(plan: DispatchPlan, newKeys: ReadonlySet<string>, holders: ReadonlyMap<string, KeyHolder>): ResolvedRequest[] {
  return plan.requests.map((request) => {
    const own = new Set(request.events);
    const resolved: ResolvedRequest = { request, outcomes: [], fresh: [], duplicates: 0, seen: 'unknown' };
    let isAgain = false;
    for (const event of request.events) {
      const owner = newKeys.has(event.key) ? plan.owners.get(event.key) : undefined;
      const holder = owner ? { eventId: owner.stored.id, requestId: owner.stored.requestId } : holders.get(event.key);
      // A key that was there a moment ago and is gone was too old to be kept: the next try inserts it.
      if (!holder) throw new Error('An event key expired while it was looked up');
      const isFresh = owner === event;
      const isRedelivery = !isFresh && holder.requestId === request.requestId && !(owner && own.has(owner));
      isAgain ||= isRedelivery;
      if (isFresh) resolved.fresh.push(event);
      else if (!isRedelivery) resolved.duplicates += 1;
      resolved.outcomes.push({ id: holder.eventId, duplicate: !isFresh && !isRedelivery, accountId: event.stored.accountId });
    }
    if (isAgain) resolved.seen = 'again';
    else if (resolved.fresh.length > 0) resolved.seen = 'first';
    return resolved;
  });
}
