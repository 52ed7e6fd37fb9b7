import { type FieldProblem, MAX_PROBLEMS } from '../../core/errors';
import type { IncomingEvent } from '../../core/hook-event';
import type { JsonSlice } from '../../core/json-slice';
import { ACCOUNT_ID, ACCOUNT_ID_RULE } from '../../core/account-id';
import { OPERATIONAL_SOURCE } from '../operational/facts';

/** An event as it is published, without what only its request knows. */
export type PublishedEvent = Omit<IncomingEvent, 'body' | 'contentType' | 'identity' | 'context'>;

const FIELDS = ['accountId', 'application', 'eventType', 'level', 'timestamp', 'message', 'id'];

// Control characters have no place in names, PostgreSQL refuses NUL in text, and a lone surrogate cannot be written as UTF-8.
const UNFIT = /[\u0000-\u001f\u007f\p{Surrogate}]/u;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?$/;

interface TextRule {
  maxLength: number;
  isRequired?: boolean;
  check?: (text: string) => string | undefined;
}

const RULES = {
  accountId: { maxLength: 128, check: (text) => (ACCOUNT_ID.test(text) ? undefined : ACCOUNT_ID_RULE) },
  application: {
    maxLength: 128,
    isRequired: true,
    // Whoever gets an operational event may rely on whose it is.
    check: (text) => (text === OPERATIONAL_SOURCE ? "must not be hookline: such events are the gateway's own" : undefined),
  },
  eventType: { maxLength: 256, isRequired: true },
  level: { maxLength: 64 },
  timestamp: {
    maxLength: 40,
    check: (text) => (isDateTime(text) ? undefined : 'must be an ISO 8601 date and time such as 2026-11-22T09:30:00Z'),
  },
  id: { maxLength: 256 },
} as const satisfies Record<string, TextRule>;

/**
 * Reads one published event from its slice; `message` keeps its exact bytes.
 * @param path Where the event stands in the request, empty for the whole of it.
 * @param problems Gets one entry per wrong field.
 * @returns undefined when anything is wrong.
 */
export function readPublishedEvent(slice: JsonSlice, path: string, problems: FieldProblem[]): PublishedEvent | undefined {
  const before = problems.length;
  if (slice.kind !== 'object') {
    problems.push({ path, message: 'must be an object' });
    return undefined;
  }
  for (const key of new Set(slice.keys())) {
    if (problems.length >= MAX_PROBLEMS) break;
    if (!FIELDS.includes(key)) {
      problems.push({ path: join(path, key.slice(0, 64)), message: `is not a field of an event; the fields are ${FIELDS.join(', ')}` });
    }
  }
  const read = (field: keyof typeof RULES): string | undefined => readText(slice, field, RULES[field], path, problems);
  const [accountId, application, eventType] = [read('accountId'), read('application'), read('eventType')];
  const [level, timestamp, id] = [read('level'), read('timestamp'), read('id')];
  const message = slice.member('message');
  if (message === undefined) problems.push({ path: join(path, 'message'), message: 'is missing; it may be any JSON value' });
  if (problems.length > before || message === undefined || application === undefined || eventType === undefined) return undefined;
  return {
    application,
    eventType,
    data: message.bytes,
    ...(accountId !== undefined && { accountId }),
    ...(level !== undefined && { level }),
    ...(timestamp !== undefined && { timestamp }),
    ...(id !== undefined && { dedupeKey: id }),
  };
}

function readText(slice: JsonSlice, field: string, rule: TextRule, path: string, problems: FieldProblem[]): string | undefined {
  const member = slice.member(field);
  if (member === undefined || (member.kind === 'null' && rule.isRequired !== true)) {
    if (rule.isRequired === true) problems.push({ path: join(path, field), message: 'is missing' });
    return undefined;
  }
  const text = member.string();
  const message = text === undefined ? 'must be a string' : (textProblem(text, rule.maxLength) ?? rule.check?.(text));
  if (message !== undefined) problems.push({ path: join(path, field), message });
  return text;
}

function textProblem(text: string, maxLength: number): string | undefined {
  if (text.length === 0 || text.length > maxLength) return `must have 1 to ${maxLength} characters`;
  return UNFIT.test(text) ? 'must not hold control characters or broken Unicode' : undefined;
}

const isDateTime = (text: string): boolean => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));

const join = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);
