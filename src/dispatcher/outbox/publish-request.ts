import { createHash } from 'node:crypto';
import { type Principal, accountOf } from '../../auth/principal';
import { type FieldProblem, GatewayError } from '../../core/errors';
import type { IncomingEvent } from '../../core/hook-event';
import { type JsonSlice, sliceJson } from '../../core/json-slice';
import { readJson } from '../../http/validate';
import type { PublishRequest } from './event-publisher';
import type { KeyUse } from './idempotency.repository';
import { type PublishedEvent, readPublishedEvent } from './published-event';

export const SOURCE = 'events';

/** Events that one request may bring. */
export const MAX_BATCH = 1_000;

/** A call as it came in. */
export interface PublishCall {
  requestId: string;
  receivedAt: number;
  path: string;
  contentType: string;
  idempotencyKey: string | undefined;
  body: Buffer;
  principal: Principal;
}

/** @throws GatewayError `malformed_json`, `json_too_deep`, `validation_failed`, `not_found`. */
export function readSingle(call: PublishCall): PublishRequest {
  readJson(call.body);
  const problems: FieldProblem[] = [];
  const event = readPublishedEvent(sliceJson(call.body), '', problems);
  if (event === undefined) throw new GatewayError('validation_failed', undefined, { problems });
  // The request held one event, so `raw` endpoints get the whole of it.
  return requestOf(call, [{ ...inAccount(event, call.principal), body: call.body, contentType: call.contentType }]);
}

/**
 * The event in `{"event": …}`, which is not published.
 * @throws GatewayError `malformed_json`, `json_too_deep`, `validation_failed`, `not_found`.
 */
export function readEnvelope(body: Buffer, principal: Principal): IncomingEvent {
  readJson(body);
  const whole = sliceJson(body);
  const slice = whole.member('event');
  const problems: FieldProblem[] = whole
    .keys()
    .flatMap((key) => (key === 'event' ? [] : [{ path: key.slice(0, 64), message: 'is not a known field' }]));
  if (slice === undefined) problems.push({ path: 'event', message: 'is missing' });
  const event = slice && readPublishedEvent(slice, 'event', problems);
  if (slice === undefined || event === undefined || problems.length > 0)
    throw new GatewayError('validation_failed', undefined, { problems });
  return { ...inAccount(event, principal), body: slice.bytes, contentType: 'application/json' };
}

/**
 * An array of events, or an object with such an array in `events`; all of them or, with every problem named, none.
 * @throws GatewayError `malformed_json`, `json_too_deep`, `validation_failed`, `not_found`.
 */
export function readBatch(call: PublishCall): PublishRequest {
  readJson(call.body);
  const whole = sliceJson(call.body);
  const list = whole.kind === 'object' ? whole.member('events') : whole;
  const problems = listProblems(whole, list);
  const slices = problems.length === 0 ? (list?.elements() ?? []) : [];
  if (problems.length === 0 && (slices.length === 0 || slices.length > MAX_BATCH)) {
    problems.push({ path: pathIn(whole), message: `must have 1 to ${String(MAX_BATCH)} events` });
  } else {
    const events = slices.map((slice, index) => readPublishedEvent(slice, `${pathIn(whole)}[${String(index)}]`, problems));
    if (problems.length === 0)
      return requestOf(
        call,
        events.flatMap((event) => (event ? [bodied(event, call)] : [])),
      );
  }
  throw new GatewayError('validation_failed', undefined, { problems });
}

function listProblems(whole: JsonSlice, list: JsonSlice | undefined): FieldProblem[] {
  if (list?.kind !== 'array') return [{ path: pathIn(whole), message: 'must be an array of events' }];
  return whole.keys().flatMap((key) => (key === 'events' ? [] : [{ path: key.slice(0, 64), message: 'is not a known field' }]));
}

const pathIn = (whole: JsonSlice): string => (whole.kind === 'object' ? 'events' : '');

const bodied = (event: PublishedEvent, call: PublishCall): IncomingEvent => ({
  ...inAccount(event, call.principal),
  body: event.data,
  contentType: 'application/json',
});

const inAccount = (event: PublishedEvent, principal: Principal): PublishedEvent => ({
  ...event,
  accountId: accountOf(principal, event.accountId),
});

const requestOf = (call: PublishCall, events: IncomingEvent[]): PublishRequest => ({
  incoming: { requestId: call.requestId, source: SOURCE, receivedAt: call.receivedAt, events },
  bytes: call.body.length,
  idempotency: call.idempotencyKey === undefined ? undefined : keyUse(call, call.idempotencyKey),
});

/** @throws GatewayError `malformed_request`. */
function keyUse({ principal, path, body }: PublishCall, key: string): KeyUse {
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    const problems = [{ path: 'Idempotency-Key', message: 'must have 1 to 255 visible ASCII characters' }];
    throw new GatewayError('malformed_request', 'The Idempotency-Key is not valid', { problems });
  }
  const bodyHash = createHash('sha256').update(`${path}\n`).update(body).digest('hex');
  return { scope: principal.accountId ?? '', key, bodyHash };
}
