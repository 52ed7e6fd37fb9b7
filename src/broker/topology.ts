/** Every queue and exchange that the gateway declares. Other software relies on these names. */

/** Each of these has a `<queue>.dead` beside it. */
export const QUEUES = [
  'webhooks.facebook.default',
  'webhooks.facebook.spam',
  'webhooks.facebook.special',
  'webhooks.twitter.default',
  'webhooks.twilio.default',
  'webhooks.automate.default',
  'webhooks.webex.default',
  'webhooks.sources.default',
  'threads.statements',
] as const;

export type QueueName = (typeof QUEUES)[number];

/** What was said in dispatched events, on its way to the threads. */
export const STATEMENTS_QUEUE = 'threads.statements' satisfies QueueName;

export interface ExchangeSpec {
  name: string;
  type: 'direct' | 'topic';
}

export const WEBHOOKS_EXCHANGE = 'webhooks';

/** What comes in by token webhooks, for anyone to bind a queue to; keys `event.<tenantId>.<datasource>.<event>`. */
export const ENRICH_EXCHANGE = 'events-to-enrich';

export const EXCHANGES: readonly ExchangeSpec[] = [
  { name: WEBHOOKS_EXCHANGE, type: 'direct' },
  { name: ENRICH_EXCHANGE, type: 'topic' },
];

export interface BindingSpec {
  exchange: string;
  queue: string;
  /** Topic exchanges: `*` is one word, `#` any number of words. */
  pattern: string;
}

/** Each webhook queue is bound under its own name; the others are sent to by the default exchange. */
export const BINDINGS: readonly BindingSpec[] = [
  ...QUEUES.filter((queue) => queue.startsWith('webhooks.')).map((queue) => ({ exchange: WEBHOOKS_EXCHANGE, queue, pattern: queue })),
  { exchange: ENRICH_EXCHANGE, queue: 'webhooks.sources.default', pattern: 'event.#' },
];

export const deadQueueOf = (queue: string): string => `${queue}.dead`;

/** How often one message may fail alone (or be in the hands of a process that dies) before it is dead. */
export const REDELIVERY_LIMIT = 30;

/** What the broker is asked to hold. The tests of the broker bring their own. */
export interface Topology {
  queues: readonly string[];
  exchanges: readonly ExchangeSpec[];
  bindings: readonly BindingSpec[];
}

export const TOPOLOGY: Topology = { queues: QUEUES, exchanges: EXCHANGES, bindings: BINDINGS };
