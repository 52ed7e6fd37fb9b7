import type { JsonSlice } from '../../core/json-slice';
import { readPath, valueAt } from '../../token-webhooks/reading/field-path';

/** Where the type of an event stands that its preset does not name: in a header (by its lower-case name), or in its JSON. */
export type EventTypeFrom = { header: string } | { path: readonly (string | number)[] };

const HEADER = /^header:([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})$/;

/** Reads `header:<name>` or `body:<path>`, a path such as `event.type` or `items[0].kind`; undefined for anything else. */
export function readEventTypeFrom(text: string): EventTypeFrom | undefined {
  const header = HEADER.exec(text)?.[1];
  if (header !== undefined) return { header: header.toLowerCase() };
  const path = text.startsWith('body:') ? readPath(text.slice('body:'.length)) : undefined;
  return path === undefined ? undefined : { path };
}

/** Text of a string, digits of a number; undefined where there is none. */
export function eventTypeAt(from: EventTypeFrom, headers: Readonly<Record<string, string>>, item: () => JsonSlice): string | undefined {
  if ('header' in from) return headers[from.header] || undefined;
  const value = valueAt(item(), from.path);
  return (value?.kind === 'number' ? value.text() : value?.string()) || undefined;
}
