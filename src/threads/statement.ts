import { createHash } from 'node:crypto';
import { cleanText } from '../core/clean-text';
import type { Attachment, IncomingEvent, Statement } from '../core/hook-event';
import { timeOfId } from '../core/ids';
import type { ThreadStatement } from './thread';

/** Twice as long as the longest message of any platform. */
const MAX_TEXT_LENGTH = 64_000;
const MAX_AUTHOR_LENGTH = 256;
const MAX_ATTACHMENTS = 50;
const MAX_TYPE_LENGTH = 64;
/** Platforms sign links to their files; half a link is none. */
const MAX_URL_LENGTH = 4_096;
const THREAD_ID = /^[\x21-\x7e]{1,200}$/;

const UNFIT = /[\0\p{Surrogate}]/gu;

/** What a dispatched event said. */
export interface Said extends Pick<ThreadStatement, 'eventId' | 'accountId'> {
  statement: Statement;
  timestamp: IncomingEvent['timestamp'];
  /** When its request came in; milliseconds since 1970. */
  receivedAt: number;
}

/** A statement as it is kept: bounded, and such that every store can hold it. */
export function statementOf({ statement, timestamp, receivedAt, eventId, accountId }: Said): ThreadStatement {
  const threadId = fitThreadId(statement.threadId);
  return {
    threadId,
    channel: channelOf(threadId),
    accountId,
    author: cleanText(statement.author, MAX_AUTHOR_LENGTH),
    own: statement.isOwn,
    text: statement.text.slice(0, MAX_TEXT_LENGTH).replace(UNFIT, '\ufffd'),
    attachments: statement.attachments.slice(0, MAX_ATTACHMENTS).map(fitAttachment),
    at: timeOf(timestamp, receivedAt, eventId),
    eventId,
  };
}

/** What stands before the first colon. */
const channelOf = (threadId: string): string => threadId.split(':', 1)[0] ?? '';

/** Each reading of the same message gives the same time, so that a redelivery is known as one; nobody has spoken in the future. */
function timeOf(timestamp: string | undefined, receivedAt: number, eventId: string): number {
  const latest = Math.min(receivedAt, timeOfId(eventId));
  const at = timestamp === undefined ? NaN : Date.parse(timestamp);
  return at >= 0 ? Math.min(at, latest) : latest;
}

function fitThreadId(id: string): string {
  if (THREAD_ID.test(id)) return id;
  return `${cleanText(channelOf(id), 64)}:sha256:${createHash('sha256').update(id).digest('base64url')}`;
}

function fitAttachment({ type, url }: Attachment): Attachment {
  const fitType = cleanText(type, MAX_TYPE_LENGTH);
  return url === undefined || url.length > MAX_URL_LENGTH ? { type: fitType } : { type: fitType, url: url.replace(UNFIT, '\ufffd') };
}
