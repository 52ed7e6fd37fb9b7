import { DEFAULT_ACCOUNT } from '../core/account-id';
import type { IncomingEvent, IncomingRequest } from '../core/hook-event';
import { newId } from '../core/ids';
import type { InsertRow } from '../storage/storage';
import { eventKey } from './event-key';
import type { RegistrySnapshot } from './registry/snapshot';
import type { StoredEvent } from './stored-event';

/** The longest that names of each kind get, in characters; what is longer is cut. REST refuses such names earlier. */
const MAX_LENGTH = { accountId: 128, application: 128, eventType: 256, level: 64, timestamp: 64, contentType: 256, requestId: 128 };

export interface PlannedRequest {
  requestId: string;
  source: string;
  events: PlannedEvent[];
}

export interface PlannedEvent {
  key: string;
  stored: StoredEvent;
}

/** What a group would store if every event in it were new. */
export interface DispatchPlan {
  requests: PlannedRequest[];
  /** For each key the first event of the group that has it. */
  owners: ReadonlyMap<string, PlannedEvent>;
  /** One row a key, in the keys' order: two transactions that insert the same keys then wait for each other in line. */
  keyRows: InsertRow<'event_keys'>[];
}

export function planDispatch(
  requests: readonly IncomingRequest[],
  registry: Pick<RegistrySnapshot, 'accountOfIdentity'>,
  nowMs: number,
): DispatchPlan {
  const planned = requests.map((request) => planRequest(request, registry, nowMs));
  const owners = new Map<string, PlannedEvent>();
  for (const event of planned.flatMap((request) => request.events)) {
    if (!owners.has(event.key)) owners.set(event.key, event);
  }
  const keyRows = [...owners.values()].map(({ key, stored }) => ({
    key,
    event_id: stored.id,
    request_id: stored.requestId,
    created_at: nowMs,
  }));
  return { requests: planned, owners, keyRows: keyRows.sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

function planRequest(request: IncomingRequest, registry: Pick<RegistrySnapshot, 'accountOfIdentity'>, nowMs: number): PlannedRequest {
  const { source } = request;
  const requestId = clean(request.requestId, 'requestId');
  const receivedAt = Number.isSafeInteger(request.receivedAt) ? request.receivedAt : nowMs;
  const events = request.events.map((event, index) => {
    const accountId = accountOf(event, registry);
    const stored: StoredEvent = {
      id: newId(),
      accountId,
      source,
      application: clean(event.application, 'application'),
      eventType: clean(event.eventType, 'eventType'),
      level: event.level === undefined ? null : clean(event.level, 'level'),
      timestamp: event.timestamp === undefined ? new Date(receivedAt).toISOString() : clean(event.timestamp, 'timestamp'),
      receivedAt,
      requestId,
      context: event.context ?? null,
      data: event.data,
      body: event.body,
      contentType: clean(event.contentType, 'contentType'),
      ...(event.to && { to: event.to }),
      ...(event.withheld && { withheld: event.withheld }),
    };
    return { key: eventKey(source, accountId, event.dedupeKey ?? `${requestId}#${index}`), stored };
  });
  return { requestId, source, events };
}

function accountOf({ accountId, application, identity }: IncomingEvent, registry: Pick<RegistrySnapshot, 'accountOfIdentity'>): string {
  const named = accountId ?? (identity && accountOfIdentity(identity, application, registry));
  return (named === undefined ? '' : clean(named, 'accountId')) || DEFAULT_ACCOUNT;
}

/** By the channel's name, or by the application's: one channel may serve several platforms, as Facebook's does WhatsApp. */
function accountOfIdentity(
  { channel, externalId, fallbackIds = [] }: NonNullable<IncomingEvent['identity']>,
  application: string,
  registry: Pick<RegistrySnapshot, 'accountOfIdentity'>,
): string | undefined {
  for (const id of [externalId, ...fallbackIds]) {
    const account = registry.accountOfIdentity(channel, id) ?? registry.accountOfIdentity(application, id);
    if (account !== undefined) return account;
  }
  return undefined;
}

/** PostgreSQL refuses NUL in text, and SQLite reads text only up to one. */
function clean(text: string, kind: keyof typeof MAX_LENGTH): string {
  const withoutNul = text.includes('\0') ? text.replaceAll('\0', '') : text;
  return withoutNul.slice(0, MAX_LENGTH[kind]);
}
