import { createHash } from 'node:crypto';
import type { InsertRow } from '../storage/storage';
import { newId } from '../core/ids';

const READABLE_ACCOUNT = /^[\w.@-]{1,128}$/;
const READABLE_KEY = /^[\x20-\x7e]{1,256}$/;

/**
 * The key under which an event is known as seen: `<source>:<account>:<key>`. Accounts and platforms' keys that could be mistaken for
 * one another, that PostgreSQL refuses as text, or that are too long for an index entry are replaced by their hash.
 */
export function eventKey(source: string, accountId: string, dedupeKey: string): string {
  return `${source}:${readable(accountId, READABLE_ACCOUNT)}:${readable(dedupeKey, READABLE_KEY)}`;
}

/**
 * Marks a request as counted that leaves no event of its own: all of its events were duplicates, it held none, or it could not be
 * read. No event's key has this shape, since a source's name is never `request`.
 */
export const requestMark = (source: string, requestId: string, createdAt: number): InsertRow<'event_keys'> => ({
  key: `request:${source}:${readable(requestId, READABLE_KEY)}`,
  event_id: newId(),
  request_id: requestId,
  created_at: createdAt,
});

const readable = (text: string, pattern: RegExp): string =>
  pattern.test(text) ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
