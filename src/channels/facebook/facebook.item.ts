import type { JsonSlice } from '../../core/json-slice';

/** Keys that tell what a messaging item is. */
const KINDS = [
  'message',
  'postback',
  'delivery',
  'read',
  'reaction',
  'optin',
  'referral',
  'account_linking',
  'pass_thread_control',
  'take_thread_control',
  'request_thread_control',
  'app_roles',
  'policy_enforcement',
  'message_edit',
];

/** Keys that every messaging item may have. */
const COMMON_KEYS: ReadonlySet<string> = new Set(['sender', 'recipient', 'timestamp', 'hop_context', 'prior_message', 'is_echo', 'seq']);

/** The name of the key that a messaging item is about; `echo` for what the page itself sent. */
export function kindOfMessaging(item: JsonSlice): string {
  const kind = KINDS.find((key) => item.member(key) !== undefined);
  if (kind === 'message') return item.member('message')?.member('is_echo')?.text() === 'true' ? 'echo' : 'message';
  return kind ?? item.keys().find((key) => !COMMON_KEYS.has(key)) ?? 'messaging';
}

/** Text of a string, digits of a number. */
export const textOf = (slice: JsonSlice | undefined): string | undefined => (slice?.kind === 'number' ? slice.text() : slice?.string());

/** Seconds are told from milliseconds by size: this many seconds are the year 5138, this many milliseconds 1973. */
const FIRST_MILLISECONDS = 1e11;
const LAST_TIME_MS = 8.64e15;

/** ISO 8601 of a time in seconds or milliseconds, number or text; undefined for anything else. */
export function timestampOf(time: JsonSlice | undefined): string | undefined {
  const text = textOf(time);
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  const timeMs = number < FIRST_MILLISECONDS ? number * 1_000 : number;
  return timeMs > 0 && timeMs <= LAST_TIME_MS ? new Date(timeMs).toISOString() : undefined;
}
