/** The port to the message broker. Two adapters, `rabbitmq/` and `embedded/`; test/conformance/broker holds both to it. */

export interface OutgoingMessage {
  /** An exchange's name; the empty string sends straight to the queue named by `routingKey`. */
  exchange: string;
  routingKey: string;
  /** Stable over republishing; the request's id. */
  id: string;
  body: Buffer;
  /** Small metadata; text only, so that both adapters keep it alike. */
  headers: Record<string, string>;
  /** For consumers outside, which look for it in the message's properties; our own do not get it. */
  contentType?: string;
}

export interface IncomingMessage {
  id: string;
  queue: string;
  exchange: string;
  routingKey: string;
  body: Buffer;
  headers: Record<string, string>;
  /** How often it was handed out before; above 0 it is always handed out alone. */
  redeliveries: number;
}

/**
 * What a handler says of one message; only the adapter acknowledges.
 * `retry`: failed by its own fault, hand it out again, alone, until REDELIVERY_LIMIT; `dead`: it can never succeed.
 */
export type Verdict = { kind: 'ack' } | { kind: 'retry'; reason: string } | { kind: 'dead'; reason: string };

export interface ConsumeOptions {
  queue: string;
  /** Groups in flight at once. */
  concurrency: number;
  /** Most messages in a group. Default 200. */
  maxGroupMessages?: number;
  /** Most body bytes in a group, unless a single message is larger. Default 4 MiB. */
  maxGroupBytes?: number;
  /**
   * Returns one verdict for each message, in order. A throw that `isOutage` pauses the consumption and counts against no
   * message; any other throw splits the group, and what throws alone counts as `retry`.
   */
  handle: (group: IncomingMessage[]) => Promise<Verdict[]>;
  /**
   * Told of a message that goes to the dead queue without having been handled this time, since its process died with it too often;
   * before it goes, and again when telling fails by an outage.
   */
  givenUp?: (message: IncomingMessage) => Promise<void>;
  /** Asked during a pause after an outage: true when handling may go on. */
  isAvailable: () => Promise<boolean>;
}

export interface Consumption {
  /** Takes nothing new; what is in flight is finished. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Cancels, then waits until what is in flight is settled, `deadlineMs` at most; the rest goes back to the queue. */
  stop(deadlineMs: number): Promise<void>;
}

export interface BrokerStatus {
  ready: boolean;
  /** Why not; absent when ready. */
  reason?: string;
}

export interface QueueDepth {
  /** Messages that wait or are being handled. */
  messages: number;
  consumers: number;
}

export abstract class Broker {
  /**
   * Resolves once the message is stored for good in at least one queue.
   * @throws GatewayError `broker_unavailable` within 5 s; it may have been stored even so.
   */
  abstract publish(message: OutgoingMessage): Promise<void>;

  /** Starts as soon as the broker is there, and again after each loss of it; does not wait for that. */
  abstract consume(options: ConsumeOptions): Promise<Consumption>;

  /** @throws GatewayError `broker_unavailable`. */
  abstract depth(queue: string): Promise<QueueDepth>;

  /**
   * Tells of messages in the dead queue of `queue` that nobody here has put there: the broker did, when their process had died with
   * them too often. Each is told of once, unless this process dies meanwhile, and stays in the dead queue. @returns how many.
   * @throws GatewayError `broker_unavailable`, and what `told` throws.
   */
  abstract findUntoldDead(queue: string, told: (message: IncomingMessage) => Promise<void>): Promise<number>;

  abstract status(): BrokerStatus;

  /** Consumptions first: see Consumption.stop. */
  abstract close(): Promise<void>;
}
