import { createHash } from 'node:crypto';
import { GatewayError } from '../core/errors';
import { type JsonSlice, joinObject } from '../core/json-slice';
import type { PresetEvent, Reading } from './preset';
import { bounded, presetEvent, textOf, timestampOf } from './reading';
import { openBody } from './request/body';

/** Keys that every messaging item may have; the one besides says what it is. */
const COMMON_KEYS: ReadonlySet<string> = new Set(['sender', 'recipient', 'timestamp', 'hop_context', 'prior_message', 'seq']);

/** One event for each item of `messaging`, `standby` and `changes`, of each entry. */
export const metaReading: Reading = {
  headers: [],
  eventType: 'the key of a messaging item (`message`, `postback`, …), `standby`, or the `field` of a change',
  dedupeKey: 'SHA-256 of the entry’s id, its time and the item',
  read(message) {
    const { root } = openBody(message);
    const entries = root.member('entry');
    if (entries?.kind !== 'array') throw new GatewayError('malformed_request', 'The body is no object with an array "entry"');
    return bounded(entries.elements().flatMap((entry) => itemsOf(root, entry))).map((read) => read());
  },
};

/** What stands in each event of an entry again; Meta's have some dozens of bytes. */
const MAX_COMMON_BYTES = 1_024;

/** Read only once it is known that they are not too many. */
function itemsOf(root: JsonSlice, entry: JsonSlice): (() => PresetEvent)[] {
  const [id, entryTime] = [commonOf(entry, 'id'), commonOf(entry, 'time')];
  const context = joinObject({ object: commonOf(root, 'object')?.bytes, entryId: id?.bytes, entryTime: entryTime?.bytes });
  const eventOf = (item: JsonSlice, eventType: string | undefined): PresetEvent => {
    // Without a time the same may happen twice.
    const time = item.member('timestamp') ?? entryTime ?? whatsappTime(item);
    const dedupeKey = time === undefined ? undefined : hashOf([id, time, item]);
    return presetEvent({ data: item.bytes, context, eventType, dedupeKey, timestamp: timestampOf(textOf(time)) });
  };
  const itemsAt = (name: string): JsonSlice[] => entry.member(name)?.elements() ?? [];
  return [
    ...itemsAt('messaging').map((item) => () => eventOf(item, kindOf(item))),
    ...itemsAt('standby').map((item) => () => eventOf(item, 'standby')),
    ...itemsAt('changes').map((item) => () => eventOf(item, textOf(item.member('field')))),
  ];
}

function commonOf(slice: JsonSlice, name: string): JsonSlice | undefined {
  const value = slice.member(name);
  if (value === undefined || value.bytes.length <= MAX_COMMON_BYTES) return value;
  throw new GatewayError('malformed_request', `${name} has more than ${String(MAX_COMMON_BYTES)} bytes`);
}

/** WhatsApp's entries have no time; its changes list messages or statuses that do. */
function whatsappTime(change: JsonSlice): JsonSlice | undefined {
  const value = change.member('value');
  const [first] = (value?.member('messages') ?? value?.member('statuses'))?.elements() ?? [];
  return first?.member('timestamp');
}

function kindOf(item: JsonSlice): string | undefined {
  const kind = item.keys().find((key) => !COMMON_KEYS.has(key));
  return kind === 'message' && item.member('message')?.member('is_echo')?.text() === 'true' ? 'echo' : kind;
}

/** No JSON text holds a NUL, so the parts cannot run into one another. */
function hashOf(parts: readonly (JsonSlice | undefined)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part?.bytes ?? '').update('\0');
  return `#${hash.digest('base64url')}`;
}
