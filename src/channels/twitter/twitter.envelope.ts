import { GatewayError } from '../../core/errors';
import { checkedJson } from '../../core/json-slice';

/** The member that lists events: `tweet_create_events`, `follow_events` … */
export const EVENTS = /^(.{1,120})_events$/;
export const USER_EVENT = 'user_event';

/**
 * The door takes what the parser finds something in; anything else may be of a version to come, so the sender is told, and the refusal
 * is listed.
 * @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`.
 */
export function assertEnvelope(body: Buffer): void {
  const value = checkedJson(body);
  const isEnvelope = isObject(value) && Object.entries(value).some(isEventMember);
  if (!isEnvelope) throw notAnEnvelope();
}

export const notAnEnvelope = (): GatewayError =>
  new GatewayError('malformed_request', 'The body is no object with an array such as "tweet_create_events", and no "user_event"');

const isEventMember = ([key, value]: [string, unknown]): boolean =>
  key === USER_EVENT ? isObject(value) : EVENTS.test(key) && Array.isArray(value);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
