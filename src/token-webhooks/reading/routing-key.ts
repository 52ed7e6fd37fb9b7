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
const MAX_WORD_LENGTH = 128;
/** Dots part the words of a key; `*` and `#` stand for words in the patterns of those who bind queues. */
const WORD = /^[^\s.*#\p{C}]+$/u;

/** What is wrong with a datasource or event, as in "must be …"; undefined when nothing is. */
export function problemOfWord(text: string): string | undefined {
  if (text.length > MAX_WORD_LENGTH) return `must have at most ${String(MAX_WORD_LENGTH)} characters`;
  return WORD.test(text) ? undefined : 'must not hold spaces, control characters, dots, * or #: it is one word of the routing key';
}

/** `event.<tenant>.<datasource>.<event>`: always four words, so that others can bind to `event.*.github.#`. */
export const routingKeyOf = ({ accountId, datasource, event }: Topic): string => `event.${accountId}.${datasource}.${event}`;

export const fitsRoutingKey = (topic: Topic): boolean => Buffer.byteLength(routingKeyOf(topic)) <= MAX_KEY_BYTES;

/**
 * Others may publish to the exchange as well, with words of their own after the third: these are all part of the event.
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
