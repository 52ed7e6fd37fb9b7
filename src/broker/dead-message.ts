import type { IncomingMessage, OutgoingMessage } from './broker';
import { deadQueueOf } from './topology';

const MAX_REASON_CHARS = 500;

/** The header that says why a message is dead. */
export const DEAD_REASON = 'x-dead-reason';

/** The message as it lies in the dead queue: its own id, body and headers, and why, when and whence it came there. */
export function deadMessage(message: IncomingMessage, reason: string, nowMs: number): OutgoingMessage {
  return {
    exchange: '',
    routingKey: deadQueueOf(message.queue),
    id: message.id,
    body: message.body,
    headers: {
      ...message.headers,
      [DEAD_REASON]: reason.slice(0, MAX_REASON_CHARS),
      'x-dead-at': String(nowMs),
      'x-original-queue': message.queue,
    },
  };
}
