import { createHash } from 'node:crypto';
import { cleanText } from '../core/clean-text';
import { GatewayError } from '../core/errors';
import type { JsonSlice } from '../core/json-slice';
import type { PresetEvent, PresetMessage, Reading } from './preset';
import { openBody } from './request/body';

/**
 * Where a text stands: in a header, spelled as the platform does, or in the JSON (of a form: its fields), by a path such as `event.type`.
 * Several paths are of texts that count together; then all of them must be there.
 */
export type Place = { header: string } | { json: string | readonly string[] };

/** How events lie in a request. Of several places the first that holds something counts. */
export interface ReadingTable {
  eventType?: readonly Place[];
  dedupeKey?: readonly Place[];
  /** ISO 8601, or a time since 1970 in seconds or milliseconds. */
  timestamp?: readonly Place[];
  /** The field of a form that holds the JSON. */
  payloadField?: string;
  /** The events of a request that may hold several; absent: it is one. */
  items?: (root: JsonSlice) => readonly JsonSlice[];
}

/** The events of a request are stored at once, and everybody else's wait for that. No platform sends as many. */
const MAX_EVENTS = 1_000;

/** Makes a `Reading` of a table. Paths are followed within each item. */
export function readingOf(table: ReadingTable): Reading {
  const { eventType = [], dedupeKey = [], timestamp = [], payloadField, items } = table;
  const places = [...eventType, ...dedupeKey, ...timestamp];
  return {
    headers: [...new Set(places.flatMap((place) => ('header' in place ? [place.header.toLowerCase()] : [])))],
    eventType: titleOf(eventType),
    dedupeKey: titleOf(dedupeKey),
    read(message) {
      const { root } = openBody(message, payloadField);
      if (items === undefined) return [eventOf(table, message, root, '')];
      return bounded(items(root)).map((item, index) => eventOf(table, message, item, `#${String(index)}`));
    },
  };
}

function eventOf(table: ReadingTable, message: PresetMessage, item: JsonSlice, suffix: string): PresetEvent {
  const find = (places: readonly Place[] = [], ofHeader = ''): string | undefined => textAt(places, message, item, ofHeader);
  return presetEvent({
    data: item.bytes,
    eventType: find(table.eventType),
    // A header is of the whole request.
    dedupeKey: find(table.dedupeKey, suffix),
    timestamp: timestampOf(find(table.timestamp)),
  });
}

/** @throws GatewayError `body_too_large` for more than 1,000. */
export function bounded<T>(items: readonly T[]): readonly T[] {
  if (items.length > MAX_EVENTS)
    throw new GatewayError('body_too_large', `There are more than ${String(MAX_EVENTS)} events in one request`);
  return items;
}

/** An event as it may be stored: a clean type, a key that fits an index. */
export function presetEvent(found: { [Name in keyof PresetEvent]?: PresetEvent[Name] | undefined } & { data: Buffer }): PresetEvent {
  const eventType = cleanText(found.eventType ?? '', 128);
  return {
    data: found.data,
    ...(eventType !== '' && { eventType }),
    ...(found.dedupeKey !== undefined && found.dedupeKey !== '' && { dedupeKey: dedupeKeyOf(found.dedupeKey) }),
    ...(found.timestamp !== undefined && { timestamp: found.timestamp }),
    ...(found.context !== undefined && { context: found.context }),
  };
}

const MAX_KEY_LENGTH = 200;

/** A key as it may be stored: longer ones are hashed, since a database index takes no key of any length. */
export const dedupeKeyOf = (key: string): string =>
  key.length <= MAX_KEY_LENGTH && cleanText(key, MAX_KEY_LENGTH) === key ? key : `#${createHash('sha256').update(key).digest('base64url')}`;

/** The value under a path of names; undefined where there is none. */
export const memberAt = (root: JsonSlice, path: string): JsonSlice | undefined =>
  path.split('.').reduce<JsonSlice | undefined>((slice, name) => slice?.member(name), root);

/** Text of a string, digits of a number; undefined for anything else and for nothing. */
export const textOf = (slice: JsonSlice | undefined): string | undefined =>
  (slice?.kind === 'number' ? slice.text() : slice?.string()) || undefined;

/** @param ofHeader Added to what a header says. */
function textAt(places: readonly Place[], { headers }: PresetMessage, item: JsonSlice, ofHeader: string): string | undefined {
  for (const place of places) {
    if ('header' in place) {
      const text = headers[place.header.toLowerCase()];
      if (text !== undefined && text !== '') return text + ofHeader;
      continue;
    }
    const texts = [place.json].flat().map((path) => textOf(memberAt(item, path)));
    if (!texts.includes(undefined)) return texts.join(' ');
  }
  return undefined;
}

/** Seconds are told from milliseconds by size: this many seconds are the year 5138, this many milliseconds 1973. */
const FIRST_MILLISECONDS = 1e11;
const LAST_TIME_MS = 8.64e15;

/** ISO 8601 of a time in ISO 8601 (or what else `Date` reads), seconds or milliseconds, as text; undefined for anything else. */
export function timestampOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 64) return undefined;
  const number = /^\d{1,16}(\.\d+)?$/.test(text) ? Number(text) : NaN;
  const timeMs = Number.isNaN(number) ? Date.parse(text) : number < FIRST_MILLISECONDS ? number * 1_000 : number;
  return timeMs > 0 && timeMs <= LAST_TIME_MS ? new Date(timeMs).toISOString() : undefined;
}

const titleOf = (places: readonly Place[]): string => places.map(titleOfPlace).join(', else ') || 'none';

const titleOfPlace = (place: Place): string =>
  'header' in place
    ? `header \`${place.header}\``
    : [place.json]
        .flat()
        .map((path) => `\`${path}\``)
        .join(' and ');
