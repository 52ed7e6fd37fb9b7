import { cleanText } from '../../core/clean-text';
import { GatewayError } from '../../core/errors';
import type { IncomingEvent, Statement } from '../../core/hook-event';
import { type JsonSlice, parseJson } from '../../core/json-slice';
import { type DoorFacts, identityOf, inboundStatement, timestampOf } from './twilio.event';

/** The events of a request are stored at once, and everybody else's wait for that. Twilio sends far fewer. */
const MAX_EVENTS = 1_000;

/**
 * The items of a list of CloudEvents, or the one that stands alone.
 * @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`, `body_too_large` when there are more than 1,000.
 */
export function openCloudEvents(body: Buffer): JsonSlice[] {
  const root = parseJson(body);
  if (root.kind === 'object') return [root];
  if (root.kind !== 'array') throw new GatewayError('malformed_request', 'The body must be a CloudEvent or a list of them');
  const items = root.elements();
  if (items.length > MAX_EVENTS) throw new GatewayError('body_too_large', `The list has more than ${MAX_EVENTS} events`);
  return items;
}

/**
 * One event for each item; those of a list may be any JSON.
 * @throws GatewayError as `openCloudEvents`.
 */
export function readCloudEvents(body: Buffer, contentType: string, facts: DoorFacts): IncomingEvent[] {
  const events = openCloudEvents(body).map((item, index) => eventOf(item, index, facts));
  const [only] = events;
  if (only !== undefined && events.length === 1) Object.assign(only, { body, contentType });
  return events;
}

function eventOf(item: JsonSlice, index: number, { token, signer }: DoorFacts): IncomingEvent {
  const eventType = cleanText(textOf(item, 'type') ?? '', 256) || 'event';
  const { bytes } = item;
  const data = item.member('data');
  const key = keyOf(item) ?? (token === undefined ? undefined : `token:${token}#${String(index)}`);
  return {
    application: 'twilio',
    eventType,
    data: bytes,
    body: bytes,
    contentType: 'application/json',
    ...identityOf({ signer, number: ourNumber(eventType, data), accountSid: accountSidOf(item, data) }),
    ...timestampOf(textOf(item, 'time')),
    ...(key !== undefined && { dedupeKey: `event:${key}` }),
    ...(eventType === INBOUND && { statement: () => statementOf(data) }),
  };
}

const INBOUND = 'com.twilio.messaging.inbound-message.received';

/** An id is unique within its source. */
function keyOf(item: JsonSlice): string | undefined {
  const id = textOf(item, 'id');
  return id ? `${textOf(item, 'source') ?? ''} ${id}` : undefined;
}

/** Products spell it differently; all of them have it in their source. */
function accountSidOf(item: JsonSlice, data: JsonSlice | undefined): string | undefined {
  const named = textOf(data, 'accountSid') ?? textOf(data, 'AccountSid') ?? textOf(data, 'account_sid');
  return named ?? /\/Accounts\/(AC[0-9A-Za-z]+)/.exec(textOf(item, 'source') ?? '')?.[1];
}

function ourNumber(eventType: string, data: JsonSlice | undefined): string | undefined {
  if (eventType.startsWith('com.twilio.messaging.inbound-message.')) return textOf(data, 'to');
  return eventType.startsWith('com.twilio.messaging.message.') ? textOf(data, 'from') : undefined;
}

/** Its media are to be fetched from Twilio; the event says only how many there are. */
const statementOf = (data: JsonSlice | undefined): Statement | undefined =>
  inboundStatement(textOf(data, 'to'), textOf(data, 'from'), { text: textOf(data, 'body') ?? '', attachments: [] });

const textOf = (slice: JsonSlice | undefined, key: string): string | undefined => slice?.member(key)?.string();
