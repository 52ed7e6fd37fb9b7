import { GatewayError } from '../core/errors';
import type { Attachment } from '../core/hook-event';
import { isId } from '../core/ids';
import { checkedJson } from '../core/json-slice';
import type { ThreadStatement } from './thread';

/** Of one message's text; its bytes may be three times as many. */
const MAX_MESSAGE_LENGTH = 512 * 1024;

/** The statements of a group as few JSON arrays: most groups make one message. */
export function writeMessages(statements: readonly ThreadStatement[]): Buffer[] {
  const messages: Buffer[] = [];
  let items: string[] = [];
  let length = 0;
  const flush = (): void => {
    if (items.length > 0) messages.push(Buffer.from(`[${items.join(',')}]`));
    items = [];
    length = 0;
  };
  for (const statement of statements) {
    const item = JSON.stringify(statement);
    if (length + item.length > MAX_MESSAGE_LENGTH) flush();
    items.push(item);
    length += item.length;
  }
  flush();
  return messages;
}

/** @throws GatewayError `malformed_json`, `malformed_request` for what cannot be such a message. */
export function readMessage(body: Buffer): ThreadStatement[] {
  const items = checkedJson(body);
  if (!Array.isArray(items)) throw new GatewayError('malformed_request', 'Statements come as an array');
  return items.map((item: unknown, index) => {
    if (!isStatement(item)) throw new GatewayError('malformed_request', `[${index}] is no statement`);
    return item;
  });
}

function isStatement(item: unknown): item is ThreadStatement {
  if (typeof item !== 'object' || item === null) return false;
  const { threadId, channel, accountId, author, own, text, attachments, at, eventId } = item as Record<keyof ThreadStatement, unknown>;
  return (
    [threadId, channel, accountId, author, text].every((value) => typeof value === 'string') &&
    typeof own === 'boolean' &&
    Number.isSafeInteger(at) &&
    typeof eventId === 'string' &&
    isId(eventId) &&
    Array.isArray(attachments) &&
    attachments.every(isAttachment)
  );
}

function isAttachment(item: unknown): item is Attachment {
  if (typeof item !== 'object' || item === null) return false;
  const { type, url } = item as Record<keyof Attachment, unknown>;
  return typeof type === 'string' && (url === undefined || typeof url === 'string');
}
