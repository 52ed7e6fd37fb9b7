import type { Thread, ThreadStatement } from './thread';
import type { StatementDto, ThreadDto } from './threads.dto';

const isoOf = (timeMs: number): string => new Date(timeMs).toISOString();

/** What leaves of a thread, without its statements. */
export const viewThread = ({ id, channel, accountId, firstAt, lastAt, statementCount }: Thread): ThreadDto => ({
  id,
  channel,
  accountId,
  firstAt: isoOf(firstAt),
  lastAt: isoOf(lastAt),
  statementCount,
});

export const viewStatement = ({
  threadId,
  channel,
  accountId,
  author,
  own,
  text,
  attachments,
  at,
  eventId,
}: ThreadStatement): StatementDto => ({
  threadId,
  channel,
  accountId,
  author,
  own,
  text,
  attachments,
  at: isoOf(at),
  eventId,
});
