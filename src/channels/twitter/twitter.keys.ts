import { createHash } from 'node:crypto';
import type { JsonSlice } from '../../core/json-slice';
import { actorOf, idOf, targetOf, textOf } from './twitter.item';

const READABLE = /^[\w.-]{1,80}$/;

/**
 * By which an item is known when the platform sends it again. Two subscribed users of one conversation get the same item in two
 * requests: those are two events. What has no id of its own is known by who, whom and when, and without a time it has no key, since
 * the same may happen twice.
 */
export function keyOf(item: JsonSlice, eventType: string, forUserId: string | undefined): string | undefined {
  const id = idOf(item) ?? idOf(item.member('status'));
  if (id !== undefined) return join([forUserId ?? '', eventType, id]);
  const time = timeOf(item);
  if (time === undefined) return undefined;
  const [actor, target] = [actorOf(item), targetOf(item)];
  const about = textOf(item.member('last_read_event_id'));
  return actor === undefined || (target === undefined && about === undefined)
    ? join([forUserId ?? '', eventType, createHash('sha256').update(item.bytes).digest('base64url')])
    : join([forUserId ?? '', eventType, actor, target ?? '', about ?? '', time]);
}

const timeOf = (item: JsonSlice): string | undefined =>
  textOf(item.member('created_timestamp') ?? item.member('timestamp_ms') ?? item.member('created_at') ?? item.member('date_time'));

/** Parts that could run into one another are hashed together. */
const join = (parts: readonly string[]): string =>
  parts.every((part) => part === '' || READABLE.test(part))
    ? parts.join(':')
    : `#${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`;
