import { readPath, valueAt } from '../core/field-path';
import type { JsonSlice } from '../core/json-slice';

/** Where a source's user says that a text stands: in a header (by its lower-case name), or in the JSON of an event. */
export type Locator = { header: string } | { path: readonly (string | number)[] };

const HEADER = /^header:([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})$/;

/** Reads `header:<name>` or `body:<path>`, a path such as `event.type` or `items[0].kind`; undefined for anything else. */
export function readLocator(text: string): Locator | undefined {
  const header = HEADER.exec(text)?.[1];
  if (header !== undefined) return { header: header.toLowerCase() };
  const path = text.startsWith('body:') ? readPath(text.slice('body:'.length)) : undefined;
  return path === undefined ? undefined : { path };
}

/** What is wrong with the text of a locator, as in "must be …". */
export const locatorProblemOf = (text: string): string | undefined =>
  readLocator(text) === undefined ? 'must be header:<name>, or body:<path> with a path such as event.type' : undefined;

/** Text of a string, digits of a number; undefined where there is none. @param item Asked for only where the JSON is looked at. */
export function locate(locator: Locator, headers: Readonly<Record<string, string>>, item: () => JsonSlice): string | undefined {
  if ('header' in locator) return (Object.hasOwn(headers, locator.header) && headers[locator.header]) || undefined;
  const value = valueAt(item(), locator.path);
  return (value?.kind === 'number' ? value.text() : value?.string()) || undefined;
}
