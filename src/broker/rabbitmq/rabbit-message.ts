import type { Channel, ConsumeMessage } from 'amqplib';
import { newId } from '../../core/ids';
import type { IncomingMessage } from '../broker';

/** A message in hand, with what it takes to settle it. */
export interface RabbitMessage extends IncomingMessage {
  readonly deliveryTag: number;
  /** The channel it came by: no other can settle it. */
  readonly channel: Channel;
}

const DELIVERY_COUNT = 'x-delivery-count';

export function toMessage(raw: ConsumeMessage, queue: string, channel: Channel): RabbitMessage {
  const { fields, properties } = raw;
  const given = (properties.headers ?? {}) as Record<string, unknown>;
  const headers: Record<string, string> = {};
  for (const name in given) {
    const value = given[name];
    if (typeof value === 'string') headers[name] = value;
    else if (name !== DELIVERY_COUNT && (typeof value === 'number' || typeof value === 'boolean')) headers[name] = String(value);
  }
  const count = given[DELIVERY_COUNT];
  return {
    // A foreign message may have no id; its redelivery then counts as another request.
    id: typeof properties.messageId === 'string' && properties.messageId !== '' ? properties.messageId : newId(),
    queue,
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    body: raw.content,
    headers,
    // Absent at the first delivery. On 4.3 and later a message that was given back uncounted keeps its count: it is not at fault.
    redeliveries: typeof count === 'number' ? count : 0,
    deliveryTag: fields.deliveryTag,
    channel,
  };
}
