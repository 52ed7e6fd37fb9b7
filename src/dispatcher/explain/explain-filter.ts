import type { ClauseResult } from '../../core/conditions/condition';
import { boundedText } from '../../core/conditions/found-value';
import { type AskableEvent, subjectOf } from '../registry/event-subject';
import { conditionOf } from '../registry/filter-condition';
import type { FilterRecord } from '../registry/filters.repository';
import { GATEWAY_APPLICATION } from '../registry/match-index';

export interface FilterExplanation {
  filterId: string;
  name: string;
  matched: boolean;
  clauses: ClauseResult[];
}

type Wishes = Pick<FilterRecord, 'enabled' | 'applications' | 'eventTypes' | 'levels' | 'where'>;

/** Whether the filter, as it stands here, wants the event; by the same rules as the matcher's index. */
export function isWantedBy(filter: Wishes): (event: AskableEvent) => boolean {
  const condition = conditionOf(filter.where);
  return (event) => {
    if (!filter.enabled || listClauses(filter, event).some(({ passed }) => !passed)) return false;
    return condition === undefined || (condition !== 'unreadable' && condition.holds(subjectOf(event)));
  };
}

/** Which part of the filter the event passes, and what stands in the event where it looks. */
export function explainFilter(filter: FilterRecord, event: AskableEvent): FilterExplanation {
  const { id, name, enabled, where } = filter;
  const condition = conditionOf(where);
  const clauses = [{ at: 'enabled', clause: 'enabled', passed: enabled, found: [enabled] }, ...listClauses(filter, event)];
  if (condition === 'unreadable') clauses.push({ at: 'where', clause: 'cannot be read', passed: false, found: [] });
  else if (condition) clauses.push(...condition.trace(subjectOf(event)));
  return { filterId: id, name, matched: isWantedBy(filter)(event), clauses };
}

function listClauses({ applications, eventTypes, levels }: Wishes, event: AskableEvent): ClauseResult[] {
  const { application, eventType, level } = event;
  const clauses = [
    ...inList('applications', 'application', applications, application),
    ...inList('eventTypes', 'eventType', eventTypes, eventType),
    ...inList('levels', 'level', levels, level),
  ];
  // The gateway's own events go to filters alone that ask for them.
  if (application === GATEWAY_APPLICATION && applications.length === 0 && eventTypes.length === 0) {
    clauses.push({ at: 'applications', clause: `names ${GATEWAY_APPLICATION} or the event type`, passed: false, found: [application] });
  }
  return clauses;
}

function inList(at: string, field: string, list: readonly string[], found: string | null): ClauseResult[] {
  if (list.length === 0) return [];
  const clause = boundedText(`${field} $in ${JSON.stringify(list)}`);
  return [{ at, clause, passed: found !== null && list.includes(found), found: [found] }];
}
