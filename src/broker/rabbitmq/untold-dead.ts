import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { GatewayError } from '../../core/errors';
import type { IncomingMessage } from '../broker';
import { DEAD_REASON, deadMessage } from '../dead-message';
import { deadQueueOf } from '../topology';
import { toMessage } from './rabbit-message';
import { within } from './within';

const ANSWER_TIMEOUT_MS = 5_000;
/** A dead queue that holds more is looked through up to here. */
const MOST_LOOKED_AT = 10_000;
const REASON = 'its process died with it too often';

/**
 * Every message that we bury says why; one that says nothing was put there by RabbitMQ. It is told of, and replaced by a copy that
 * says why, so that it is told of once. The others are given back when the channel is closed.
 */
export async function findUntoldDead(
  model: ChannelModel,
  queue: string,
  told: (message: IncomingMessage) => Promise<void>,
): Promise<number> {
  let channel: ConfirmChannel | undefined;
  try {
    channel = await answer('opening a channel', model.createConfirmChannel());
    channel.on('error', () => undefined); // the request that fails rejects as well
    const { messageCount } = await answer(`asking for ${deadQueueOf(queue)}`, channel.checkQueue(deadQueueOf(queue)));
    let found = 0;
    for (let looked = 0; looked < Math.min(messageCount, MOST_LOOKED_AT); looked++) {
      const raw = await answer('reading a dead queue', channel.get(deadQueueOf(queue)));
      if (raw === false) break;
      const headers = (raw.properties.headers ?? {}) as Record<string, unknown>;
      if (DEAD_REASON in headers) continue;
      const message = toMessage({ ...raw, fields: { ...raw.fields, consumerTag: '' } }, queue, channel);
      await told(message);
      const copy = deadMessage(message, REASON, Date.now());
      channel.sendToQueue(copy.routingKey, copy.body, { persistent: true, messageId: copy.id, headers: copy.headers });
      await answer('confirming a dead message', channel.waitForConfirms());
      channel.ack(raw);
      found += 1;
    }
    return found;
  } finally {
    await channel?.close().catch(() => undefined);
  }
}

async function answer<T>(what: string, question: PromiseLike<T>): Promise<T> {
  try {
    return await within(ANSWER_TIMEOUT_MS, what, Promise.resolve(question));
  } catch (error) {
    throw new GatewayError('broker_unavailable', `RabbitMQ does not answer (${what}).`, { cause: error });
  }
}
