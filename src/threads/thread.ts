import type { Attachment } from '../core/hook-event';

/** What somebody said: one message of a conversation, as it is kept. */
export interface ThreadStatement {
  threadId: string;
  /** The event's application: `facebook`, `whatsapp`, `twitter` … */
  channel: string;
  accountId: string;
  /** The platform's id of who said it. */
  author: string;
  /** True for what the account itself said. */
  own: boolean;
  /** Empty where there are attachments alone. */
  text: string;
  attachments: Attachment[];
  /** When it was said, as the platform tells, but not after it came in; milliseconds since 1970. */
  at: number;
  /** The event that brought it; also what it is known by. */
  eventId: string;
}

/** A conversation on a platform, as far as its statements are kept. */
export interface Thread {
  id: string;
  channel: string;
  accountId: string;
  /** When the first and the last of its statements were said, milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
  statementCount: number;
}

export interface LoadedThread extends Thread {
  /** The last ones, in the order in which they were said. */
  statements: ThreadStatement[];
}
