import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Broker, Consumption, ConsumeOptions, IncomingMessage, OutgoingMessage, Verdict } from '../../../src/broker/broker';
import type { Tuning } from '../../../src/broker/group-consumer';
import { deadQueueOf, type Topology } from '../../../src/broker/topology';

/** What the suite needs of an implementation. Everything that one harness opens lies on the same storage. */
export interface BrokerHarness {
  /** Where a child process opens the same storage, see open-broker.ts. */
  readonly target: string;
  open(topology: Topology, tuning?: Partial<Tuning>): Promise<Broker>;
  /** Ends this broker as the death of its process would: nothing in hand is settled or given back. */
  crash(broker: Broker): Promise<void>;
  /** Ends everything and removes the storage. */
  release(): Promise<void>;
}

/** Short waits, so that thirty tries do not take half a minute. */
export const QUICK: Partial<Tuning> = { maxRetryDelayMs: 25, firstProbeMs: 10, maxProbeMs: 50 };

export const ACK: Verdict = { kind: 'ack' };
export const ackAll = (group: IncomingMessage[]): Promise<Verdict[]> => Promise.resolve(group.map(() => ACK));

/** Queues of its own for each test, with an exchange of each type. */
export function makeTopology(queues = 1): Topology & { queue: string; direct: string; topic: string } {
  const run = randomUUID().slice(0, 8);
  const names = Array.from({ length: queues }, (_, index) => `q.${run}.${index}`);
  const [queue = ''] = names;
  const direct = `direct.${run}`;
  const topic = `topic.${run}`;
  return {
    queue,
    direct,
    topic,
    queues: names,
    exchanges: [
      { name: direct, type: 'direct' },
      { name: topic, type: 'topic' },
    ],
    bindings: names.map((name) => ({ exchange: direct, queue: name, pattern: name })),
  };
}

export const message = (routingKey: string, body: string | Buffer, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  exchange: '',
  routingKey,
  id: randomUUID(),
  body: typeof body === 'string' ? Buffer.from(body) : body,
  headers: {},
  ...more,
});

/** Publishes the texts one after the other confirmed, so that their order is certain. */
export async function publishAll(broker: Broker, queue: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) await broker.publish(message(queue, text));
}

export const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

/** Waits for a state; fails with `what` when it does not come. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const textsOf = (group: readonly IncomingMessage[]): string[] => group.map(({ body }) => body.toString());

type Handler = ConsumeOptions['handle'];
export const consume = (broker: Broker, queue: string, handle: Handler, more: Partial<ConsumeOptions> = {}): Promise<Consumption> =>
  broker.consume({ queue, concurrency: 1, handle, isAvailable: () => Promise.resolve(true), ...more });

/** Takes everything out of a queue until it has `count` messages. */
export async function takeAll(broker: Broker, queue: string, count: number): Promise<IncomingMessage[]> {
  const taken: IncomingMessage[] = [];
  const consumption = await consume(broker, queue, (group) => {
    taken.push(...group);
    return ackAll(group);
  });
  await until(`${queue} gave ${count} messages`, () => taken.length >= count);
  await consumption.stop(5_000);
  return taken;
}

export const takeDead = (broker: Broker, queue: string, count: number): Promise<IncomingMessage[]> =>
  takeAll(broker, deadQueueOf(queue), count);

export const isEmpty = async (broker: Broker, queue: string): Promise<boolean> => (await broker.depth(queue)).messages === 0;

/** A promise with its ends. */
export function latch(): { promise: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => (open = resolve));
  return { promise, open };
}

/** The suites make messages fail on purpose: no log of it. */
export const silence = (): void => {
  Logger.overrideLogger(false);
};
