import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ConfirmChannel, connect } from 'amqplib';
import { Pool } from 'undici';
import { serve } from './child';

/**
 * The least that a gateway with these promises can do: `accept` answers a request once the broker has confirmed it, `deliver`
 * posts each message and acknowledges it after the 2xx. No check, no record, no retry.
 */
export interface BareTask {
  rabbitMqUrl: string;
  queue: string;
  accept: boolean;
  deliverTo?: string;
}

const PREFETCH = 200;
const CONNECTIONS = 64;

serve<BareTask>(async (task) => {
  const connection = await connect(task.rabbitMqUrl, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const quorum = { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish', 'x-delivery-limit': 30 };
  await channel.assertQueue(task.queue, { durable: true, arguments: quorum });
  if (task.deliverTo !== undefined) await deliver(channel, task.queue, task.deliverTo);
  return { port: task.accept ? await accept(channel, task.queue) : 0 };
});

function accept(channel: ConfirmChannel, queue: string): Promise<number> {
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      channel.sendToQueue(queue, Buffer.concat(chunks), { persistent: true }, (error) => {
        response.statusCode = error ? 503 : 200;
        response.setHeader('content-length', 14).end('EVENT_RECEIVED');
      });
    });
  };
  const server = createServer(take);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

async function deliver(channel: ConfirmChannel, queue: string, url: string): Promise<void> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 });
  await channel.prefetch(PREFETCH);
  await channel.consume(queue, (message) => {
    if (message === null) throw new Error('The consumer was cancelled.');
    void pool
      .request({ method: 'POST', path: pathname, body: message.content, headers: { 'content-type': 'application/json' } })
      .then(async (response) => {
        await response.body.dump();
        channel.ack(message);
      });
  });
}
