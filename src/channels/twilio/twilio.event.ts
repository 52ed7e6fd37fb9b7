import { cleanText } from '../../core/clean-text';
import type { IncomingEvent, Statement } from '../../core/hook-event';
import type { Route } from './twilio.form-kind';
import { TWILIO } from './twilio.signature';

/** What the door found out about a request and its body does not say. */
export interface DoorFacts {
  route: Route;
  /** I-Twilio-Idempotency-Token. */
  token: string | undefined;
  /** The account whose own token signed. */
  signer: string | undefined;
}

export interface Ids {
  /** The account whose own token signed. */
  signer: string | undefined;
  /** Our side's address, as Twilio writes it. */
  number: string | undefined;
  accountSid: string | undefined;
}

/**
 * Our number before its Twilio account. But who signed with a token of one account speaks for that account alone: it could name
 * any number.
 */
export function identityOf({ signer, number, accountSid }: Ids): Pick<IncomingEvent, 'identity'> {
  const named = signer === undefined ? [number, accountSid] : [signer];
  const ids = named.filter((id) => id !== undefined).map((id) => cleanText(id, 256));
  const [externalId, ...fallbackIds] = ids;
  return externalId === undefined ? {} : { identity: { channel: TWILIO, externalId, fallbackIds } };
}

/** ISO 8601 of a date in any of Twilio's spellings (ISO 8601, RFC 2822). */
export function timestampOf(date: string | undefined): Pick<IncomingEvent, 'timestamp'> {
  const timeMs = Date.parse(date ?? '');
  return Number.isNaN(timeMs) ? {} : { timestamp: new Date(timeMs).toISOString() };
}

/** A message of theirs to our number; none where one of the two is missing. */
export function inboundStatement(
  ours: string | undefined,
  theirs: string | undefined,
  said: Pick<Statement, 'text' | 'attachments'>,
): Statement | undefined {
  if (ours === undefined || theirs === undefined) return undefined;
  return { threadId: threadIdOf(ours, theirs), author: cleanText(theirs, 256), isOwn: false, ...said };
}

/** Of our number and theirs, or of a ConversationSid. */
export const threadIdOf = (...ids: readonly string[]): string =>
  [TWILIO, ...ids.map((id) => cleanText(id, 256).replace(/[^\x21-\x7e]/gu, encodeURIComponent))].join(':');
