import { cleanText } from '../../core/clean-text';
import type { IncomingEvent } from '../../core/hook-event';
import { type JsonSlice, parseJson } from '../../core/json-slice';
import { Surroundings } from './twitter.context';
import { EVENTS, USER_EVENT, notAnEnvelope } from './twitter.envelope';
import { actorOf, textOf, timestampOf } from './twitter.item';
import { keyOf } from './twitter.keys';
import { TWITTER } from './twitter.signature';
import { statementOf } from './twitter.statement';

/** Documented as lists of their own, and seen as items of these types in the lists of their opposites. */
const REVERSALS: ReadonlySet<string | undefined> = new Set(['unfollow', 'unblock', 'unmute']);

interface Item {
  eventType: string;
  slice: JsonSlice;
  /** Whose subscription it came by. */
  userId: string | undefined;
}

/**
 * Reads every item of a request, whatever its kind: what the platform adds in times to come is an event as well, named by its list.
 * @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`.
 */
export function parseTwitter(body: Buffer, contentType: string): IncomingEvent[] {
  const root = parseJson(body);
  const forUserId = textOf(root.member('for_user_id'));
  const keys = new Set(root.keys().filter((key) => key === USER_EVENT || EVENTS.test(key)));
  if (keys.size === 0) throw notAnEnvelope();
  const surroundings = new Surroundings(root, forUserId);
  const events: IncomingEvent[] = [];
  for (const key of keys) {
    for (const item of itemsOf(root, key, forUserId)) events.push(eventOf(item, forUserId, surroundings));
  }
  const [only] = events;
  if (only !== undefined && events.length === 1) Object.assign(only, { body, contentType });
  return events;
}

function* itemsOf(root: JsonSlice, key: string, forUserId: string | undefined): Generator<Item> {
  const value = root.member(key)!;
  if (key === USER_EVENT) {
    // The user that has withdrawn; there is no for_user_id any more.
    for (const kind of new Set(value.keys())) {
      const slice = value.member(kind)!;
      yield { eventType: `user_${kind}`, slice, userId: forUserId ?? actorOf(slice) };
    }
    return;
  }
  const name = EVENTS.exec(key)![1]!;
  for (const slice of value.elements()) {
    const type = slice.member('type')?.string();
    yield { eventType: REVERSALS.has(type) ? type! : name, slice, userId: forUserId };
  }
}

function eventOf({ eventType, slice, userId }: Item, forUserId: string | undefined, surroundings: Surroundings): IncomingEvent {
  const timestamp = timestampOf(slice);
  const dedupeKey = keyOf(slice, eventType, forUserId);
  const data = slice.bytes;
  return {
    application: TWITTER,
    eventType: cleanText(eventType, 128),
    context: surroundings.around(slice),
    data,
    body: data,
    contentType: 'application/json',
    ...(userId !== undefined && { identity: { channel: TWITTER, externalId: cleanText(userId, 256) } }),
    ...(timestamp !== undefined && { timestamp }),
    ...(dedupeKey !== undefined && { dedupeKey }),
    statement: () => statementOf(slice, eventType, forUserId),
  };
}
