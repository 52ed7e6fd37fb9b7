import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker';
import type { IncomingMessage, OutgoingMessage } from '../../src/broker/broker';
import { TOPOLOGY } from '../../src/broker/topology';
import type { Engines } from './engines';
import { eventually } from './eventually';
import type { Gateway } from './gateway';

export interface QueuedMessage {
  body: Buffer;
  headers: Record<string, unknown>;
}

/** Puts messages straight into a queue, past the door. The embedded broker is reached while the gateway is stopped. */
export async function putIntoQueue(engines: Engines, gateway: Gateway, queue: string, bodies: readonly Buffer[]): Promise<void> {
  const headers = { 'x-received-at': String(Date.now()), 'x-content-type': 'application/json' };
  const messages = bodies.map((body): OutgoingMessage => {
    const id = randomUUID();
    return { exchange: '', routingKey: queue, id, body, headers: { ...headers, 'x-request-id': id } };
  });
  if (engines.options.rabbitMqUrl === undefined) {
    await onEmbedded(gateway, async (broker) => {
      await Promise.all(messages.map((message) => broker.publish(message)));
    });
    return;
  }
  const connection = await connect(engines.options.rabbitMqUrl);
  const channel = await connection.createConfirmChannel();
  for (const { id, body, headers } of messages) channel.sendToQueue(queue, body, { persistent: true, messageId: id, headers });
  await channel.waitForConfirms();
  await connection.close();
}

/** Takes everything out of a queue. */
export async function takeFromQueue(engines: Engines, gateway: Gateway, queue: string): Promise<QueuedMessage[]> {
  return engines.options.rabbitMqUrl === undefined
    ? takeFromEmbedded(gateway, queue)
    : takeFromRabbitMq(engines.options.rabbitMqUrl, queue);
}

export async function takeFromRabbitMq(url: string, queue: string): Promise<QueuedMessage[]> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const taken: QueuedMessage[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) break;
    taken.push({ body: message.content, headers: message.properties.headers ?? {} });
  }
  await connection.close();
  return taken;
}

async function takeFromEmbedded(gateway: Gateway, queue: string): Promise<QueuedMessage[]> {
  const taken: QueuedMessage[] = [];
  await onEmbedded(gateway, async (broker) => {
    const handle = (group: IncomingMessage[]): Promise<{ kind: 'ack' }[]> => {
      taken.push(...group.map(({ body, headers }) => ({ body, headers })));
      return Promise.resolve(group.map(() => ({ kind: 'ack' })));
    };
    const consumption = await broker.consume({ queue, concurrency: 1, handle, isAvailable: () => Promise.resolve(true) });
    await eventually('the queue is empty', async () => (await broker.depth(queue)).messages === 0);
    await consumption.stop(5_000);
  });
  return taken;
}

async function onEmbedded(gateway: Gateway, work: (broker: EmbeddedBroker) => Promise<void>): Promise<void> {
  if (gateway.isRunning) throw new Error('Stop the gateway first: the embedded broker belongs to one process.');
  const broker = new EmbeddedBroker(join(gateway.dataFolder, 'broker.db'), TOPOLOGY);
  await work(broker).finally(() => broker.close());
}
