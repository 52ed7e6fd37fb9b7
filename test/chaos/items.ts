/**
 * The items that the outside sends. All that is to be known of one stands in its id, so that sender and receiver check it without
 * telling each other: where it must arrive, by which door it went in, and its very bytes.
 */

/** The endpoints of the rig. */
export const ENDPOINTS = ['a', 'b', 'c'] as const;
export type EndpointName = (typeof ENDPOINTS)[number];

/** `facebook` goes by the broker, `events` (REST) straight into the database. */
export const DOORS = ['facebook', 'events'] as const;
export type Door = (typeof DOORS)[number];

interface Route {
  eventType: string;
  endpoints: readonly EndpointName[];
}

/** By event type: to three endpoints, to one, to none. */
export const ROUTES = {
  three: { eventType: 'message', endpoints: ['a', 'b', 'c'] },
  one: { eventType: 'postback', endpoints: ['a'] },
  none: { eventType: 'reaction', endpoints: [] },
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof ROUTES;

const ROUTE_NAMES = Object.keys(ROUTES) as RouteName[];
/** Of ten items in a row four go to three endpoints, four to one, two to none. */
const MIX: readonly RouteName[] = ['three', 'one', 'three', 'none', 'one', 'three', 'one', 'three', 'none', 'one'];
const PAGE = '111111';

export const newItemId = (door: Door, run: string, number: number): string =>
  `${MIX[number % MIX.length] ?? 'three'}.${door}.${run}.${number}`;

/** Where an item of this id must arrive; undefined when no sender of ours made it. */
export function routeOf(id: string): Route | undefined {
  const name = ROUTE_NAMES.find((route) => id.startsWith(`${route}.`));
  return name && ROUTES[name];
}

export const doorOf = (id: string): Door => (id.split('.')[1] === 'events' ? 'events' : 'facebook');

/** The item's bytes: JSON that would not survive being read and written again. */
export function itemOf(id: string): string {
  const { eventType = 'message' } = routeOf(id) ?? {};
  const padding = 'é\\u00e9 '.repeat(Number(id.split('.').at(-1)) % 40);
  return (
    `{"sender":{"id":"USER_1"},"recipient":{"id":"${PAGE}"},"timestamp":1458692752001,` +
    `"${eventType}":{"mid":"${id}", "number":12345678901234567890, "number":1e2,"text":"${padding}"}}`
  );
}

/** The id of an item that was read back; undefined when there is none. */
export function idOf(item: unknown): string | undefined {
  const { message, postback, reaction } = (item ?? {}) as Record<string, { mid?: unknown } | undefined>;
  const mid = (message ?? postback ?? reaction)?.mid;
  return typeof mid === 'string' ? mid : undefined;
}

export interface OneItemRequest {
  entry: { messaging: unknown[] }[];
}

/** A request of the platform with these items. */
export const facebookBody = (ids: readonly string[]): string =>
  `{"object":"page","entry":[{"id":"${PAGE}","time":1458692752478,"messaging":[${ids.map(itemOf).join(',')}]}]}`;

/** A batch for POST /api/v1/events/batch. */
export function eventsBody(ids: readonly string[]): string {
  const events = ids.map((id) => `{"application":"shop","eventType":"${routeOf(id)?.eventType}","id":"${id}","message":${itemOf(id)}}`);
  return `[${events.join(',')}]`;
}
