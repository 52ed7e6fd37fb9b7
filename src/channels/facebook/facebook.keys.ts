import { createHash } from 'node:crypto';
import { cleanText } from '../../core/clean-text';
import type { JsonSlice } from '../../core/json-slice';
import { textOf } from './facebook.item';

/**
 * Keys by which an item that Meta sends again is known. They never join two items: what has no id of its own is known by its
 * bytes together with its time, and without a time it has no key, since the same may happen twice.
 */

type Slice = JsonSlice | undefined;

/** Longer ones are hashed: a database index takes no key of any length. */
const MAX_ID_LENGTH = 200;

/** A message, its reaction and its deletion share a `mid`, so only what the id was made for is known by it. */
export function messagingKey(item: JsonSlice, eventType: string, entryId: Slice, time: Slice): string | undefined {
  const message = item.member('message');
  const source = message ?? item.member('postback');
  const mid = message?.member('is_deleted')?.text() === 'true' ? undefined : source?.member('mid')?.string();
  if (mid === undefined || mid === '') return keyOfBytes(eventType, item, entryId, time);
  const what = message === undefined ? 'postback' : 'message';
  return keyOfId(eventType === 'standby' ? `standby:${what}` : eventType, mid);
}

export function whatsappMessageKey(message: JsonSlice, entryId: Slice, time: Slice): string | undefined {
  const wamid = message.member('id')?.string();
  return wamid ? keyOfId('wa', wamid) : keyOfBytes('wa', message, entryId, time);
}

/** One message to a group has a status for each of its recipients. */
export function statusKey(status: JsonSlice, entryId: Slice, time: Slice): string | undefined {
  const wamid = status.member('id')?.string();
  const state = status.member('status')?.string();
  const recipient = textOf(status.member('recipient_id')) ?? '';
  return wamid && state ? keyOfId('wa-status', `${wamid}:${state}:${recipient}`) : keyOfBytes('wa-status', status, entryId, time);
}

export const changeKey = (change: JsonSlice, entryId: Slice, entryTime: Slice): string | undefined =>
  keyOfBytes('change', change, entryId, entryTime);

function keyOfId(kind: string, id: string): string {
  const isFit = id.length <= MAX_ID_LENGTH && cleanText(id, MAX_ID_LENGTH) === id;
  return isFit ? `${kind}:${id}` : `${kind}#${createHash('sha256').update(id).digest('base64url')}`;
}

function keyOfBytes(kind: string, item: JsonSlice, entryId: Slice, time: Slice): string | undefined {
  if (time === undefined) return undefined;
  // No JSON text holds a NUL, so the parts cannot run into one another.
  const hash = createHash('sha256');
  for (const part of [entryId, time, item]) {
    if (part !== undefined) hash.update(part.bytes);
    hash.update('\0');
  }
  return `${cleanText(kind, 64)}#${hash.digest('base64url')}`;
}
