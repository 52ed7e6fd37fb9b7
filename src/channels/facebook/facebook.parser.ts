import { cleanText } from '../../core/clean-text';
import type { IncomingEvent } from '../../core/hook-event';
import { type JsonSlice, joinObject, parseJson, sliceJson } from '../../core/json-slice';
import { notAnEnvelope } from './facebook.envelope';
import { changeKey, messagingKey, statusKey, whatsappMessageKey } from './facebook.keys';
import { kindOfMessaging, textOf, timestampOf } from './facebook.item';
import { FACEBOOK } from './facebook.signature';
import { messagingStatement, whatsappStatement } from './facebook.statement';
import { WhatsappValue } from './facebook.whatsapp';

const APPLICATIONS: ReadonlyMap<string | undefined, string> = new Map([
  ['instagram', 'instagram'],
  ['whatsapp_business_account', 'whatsapp'],
]);

/** What the items of one entry have in common. */
interface Entry {
  application: string;
  id: JsonSlice | undefined;
  time: JsonSlice | undefined;
  context: Buffer;
}

interface Item {
  eventType: string;
  data: Buffer;
  /** As sent: milliseconds or seconds, number or text. */
  time: JsonSlice | undefined;
  dedupeKey: string | undefined;
  /** Page id, Instagram id, phone number id. */
  identity: JsonSlice | undefined;
  statement?: IncomingEvent['statement'];
}

/**
 * Reads every item of a request. What Meta adds in times to come is an event as well, named by its key or field; only an entry
 * that lists nothing gives none.
 * @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`.
 */
export function parseFacebook(body: Buffer, contentType: string): IncomingEvent[] {
  const root = parseJson(body);
  const object = root.member('object');
  const entries = root.member('entry');
  if (entries?.kind !== 'array') throw notAnEnvelope();
  const application = APPLICATIONS.get(object?.string()) ?? 'facebook';
  const events: IncomingEvent[] = [];
  for (const slice of entries.elements()) {
    const id = slice.member('id');
    const time = slice.member('time');
    const entry = { application, id, time, context: joinObject({ object: object?.bytes, entryId: id?.bytes, entryTime: time?.bytes }) };
    for (const item of itemsOf(slice, entry)) events.push(eventOf(entry, item));
  }
  const [only] = events;
  if (only !== undefined && events.length === 1) Object.assign(only, { body, contentType });
  return events;
}

function* itemsOf(slice: JsonSlice, entry: Entry): Generator<Item> {
  for (const item of slice.member('messaging')?.elements() ?? []) yield messagingItem(item, entry, kindOfMessaging(item));
  for (const item of slice.member('standby')?.elements() ?? []) yield messagingItem(item, entry, 'standby');
  const changes = slice.member('changes');
  for (const change of changes?.elements() ?? []) {
    if (entry.application === 'whatsapp') yield* whatsappItems(change, entry);
    else yield changeItem(change, entry);
  }
  // Without "include values" in the app's settings Meta sends the names of the fields alone.
  if (changes === undefined) for (const field of slice.member('changed_fields')?.elements() ?? []) yield changeItem(field, entry);
}

function messagingItem(item: JsonSlice, entry: Entry, eventType: string): Item {
  const time = item.member('timestamp') ?? entry.time;
  const dedupeKey = messagingKey(item, eventType, entry.id, time);
  const data = item.bytes;
  return { eventType, data, time, dedupeKey, identity: entry.id, statement: saidToPage(data, entry.application, textOf(entry.id)) };
}

/** Read anew from the bytes: a slice would keep the whole request's index in memory. */
const saidToPage =
  (item: Buffer, application: string, account: string | undefined): Item['statement'] =>
  () =>
    messagingStatement(sliceJson(item), application, account);

const saidToNumber =
  (message: Buffer, phoneNumberId: string | undefined): Item['statement'] =>
  () =>
    whatsappStatement(sliceJson(message), phoneNumberId);

function changeItem(change: JsonSlice, { id, time }: Entry, identity = id): Item {
  const eventType = textOf(change.member('field')) ?? textOf(change) ?? 'change';
  return { eventType, data: change.bytes, time, dedupeKey: changeKey(change, id, time), identity };
}

function* whatsappItems(change: JsonSlice, entry: Entry): Generator<Item> {
  const value = new WhatsappValue(change.member('value'));
  const identity = value.phoneNumberId ?? entry.id;
  for (const message of value.messages) {
    const time = message.member('timestamp') ?? entry.time;
    const dedupeKey = whatsappMessageKey(message, entry.id, time);
    const statement = saidToNumber(message.bytes, textOf(value.phoneNumberId));
    yield { eventType: 'message', data: value.around('message', message), time, dedupeKey, identity, statement };
  }
  for (const status of value.statuses) {
    const time = status.member('timestamp') ?? entry.time;
    yield { eventType: 'status', data: value.around('status', status), time, dedupeKey: statusKey(status, entry.id, time), identity };
  }
  if (value.holdsMore) yield changeItem(change, entry, identity);
}

function eventOf(entry: Entry, { eventType, data, time, dedupeKey, identity, statement }: Item): IncomingEvent {
  const timestamp = timestampOf(time);
  const externalId = textOf(identity);
  return {
    application: entry.application,
    eventType: cleanText(eventType, 128) || 'unknown',
    context: entry.context,
    data,
    body: data,
    contentType: 'application/json',
    ...(externalId !== undefined && { identity: { channel: FACEBOOK, externalId: cleanText(externalId, 256) } }),
    ...(timestamp !== undefined && { timestamp }),
    ...(dedupeKey !== undefined && { dedupeKey }),
    ...(statement !== undefined && { statement }),
  };
}
