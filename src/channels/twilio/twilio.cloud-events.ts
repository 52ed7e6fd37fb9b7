import { cleanText } from '../../core/clean-text';
import type { IncomingEvent } from '../../core/hook-event';
import { type JsonSlice, parseJson } from '../../core/json-slice';
import { type DoorFacts, identityOf, inboundStatement, timestampOf } from './twilio.event';

/**
 * One event for each item of a list of CloudEvents, or for the one that stands alone; any other JSON is an event as well.
 * @throws GatewayError `json_too_deep`, `malformed_json`.
 */
export function readCloudEvents(body: Buffer, contentType: string, facts: DoorFacts): IncomingEvent[] {
  const root = parseJson(body);
  const items = root.kind === 'array' ? root.elements() : [root];
  const events = items.map((item, index) => eventOf(item, index, facts));
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
    ...(eventType === INBOUND && statementOf(data)),
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
const statementOf = (data: JsonSlice | undefined): Pick<IncomingEvent, 'statement'> =>
  inboundStatement(textOf(data, 'to'), textOf(data, 'from'), { text: textOf(data, 'body') ?? '', attachments: [] });

const textOf = (slice: JsonSlice | undefined, key: string): string | undefined => slice?.member(key)?.string();
