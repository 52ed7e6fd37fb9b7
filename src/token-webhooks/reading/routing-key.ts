import { ACCOUNT_ID } from '../../core/account-id';
import { GatewayError } from '../../core/errors';

/** What a message of `events-to-enrich` is about. */
export interface Topic {
  accountId: string;
  datasource: string;
  event: string;
}

/** Of AMQP 0-9-1. */
const MAX_KEY_BYTES = 255;
const MAX_NAME_LENGTH = 128;
/** `*` and `#` stand for words in the patterns of those who bind queues. */
const EVENT = /^(?!\s)[^*#\p{C}]+(?<!\s)$/u;

/** What is wrong with an event's name, as in "must be …"; undefined when nothing is. It ends the key, so it may hold dots. */
export function problemOfEvent(text: string): string | undefined {
  if (text.length > MAX_NAME_LENGTH) return `must have at most ${String(MAX_NAME_LENGTH)} characters`;
  return EVENT.test(text)
    ? undefined
    : 'must not hold control characters, * or #, nor begin or end with a space: it is a part of the routing key';
}

/** As of an event, but one word of the key: dots part its words. */
export const problemOfDatasource = (text: string): string | undefined =>
  text.includes('.') ? 'must not hold dots: it is one word of the routing key' : problemOfEvent(text);

/** `event.<tenant>.<datasource>.<event>`: tenant and datasource are one word each, so that others can bind to `event.*.github.#`. */
export const routingKeyOf = ({ accountId, datasource, event }: Topic): string => `event.${accountId}.${datasource}.${event}`;

export const fitsRoutingKey = (topic: Topic): boolean => Buffer.byteLength(routingKeyOf(topic)) <= MAX_KEY_BYTES;

/**
 * All words after the third are the event's.
 * @throws GatewayError `malformed_request`.
 */
export function readRoutingKey(key: string): Topic {
  const [first, accountId = '', datasource = '', ...rest] = key.split('.');
  const event = rest.join('.');
  if (first !== 'event' || !ACCOUNT_ID.test(accountId) || datasource === '' || event === '') {
    throw new GatewayError('malformed_request', 'Its routing key is not event.<tenantId>.<datasource>.<event>');
  }
  return { accountId, datasource, event };
}
