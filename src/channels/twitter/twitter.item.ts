import type { JsonSlice } from '../../core/json-slice';

type Slice = JsonSlice | undefined;

/** Text of a string, digits of a number; undefined for anything else and for nothing. */
export const textOf = (slice: Slice): string | undefined => (slice?.kind === 'number' ? slice.text() : slice?.string()) || undefined;

/** An object's id. Numeric ones are longer than a double is exact, so the text goes first; digits are read as digits. */
export const idOf = (object: Slice): string | undefined => textOf(object?.member('id_str')) ?? textOf(object?.member('id'));

/** Who did it: wrote, liked, followed, typed. */
export const actorOf = (item: JsonSlice): string | undefined =>
  textOf(item.member('message_create')?.member('sender_id')) ??
  textOf(item.member('sender_id')) ??
  idOf(item.member('user')) ??
  idOf(item.member('source')) ??
  textOf(item.member('source')?.member('user_id')) ??
  textOf(item.member('status')?.member('user_id'));

/** To whom: the recipient of a message, the one who is followed. */
export const targetOf = (item: JsonSlice): string | undefined => {
  const target = item.member('message_create')?.member('target') ?? item.member('target');
  return textOf(target?.member('recipient_id')) ?? idOf(target);
};

const MILLISECONDS = /^\d{1,16}$/;
const LAST_TIME_MS = 8.64e15;

/** ISO 8601 of when it happened: milliseconds as text, `Wed Nov 28 18:28:03 +0000 2018`, or ISO 8601. */
export function timestampOf(item: JsonSlice): string | undefined {
  const text = textOf(item.member('created_timestamp') ?? item.member('timestamp_ms'));
  if (text !== undefined && MILLISECONDS.test(text)) return isoOf(Number(text));
  const date = (item.member('created_at') ?? item.member('date_time'))?.string();
  return date === undefined || date.length > 64 ? undefined : isoOf(Date.parse(date));
}

const isoOf = (timeMs: number): string | undefined => (timeMs > 0 && timeMs <= LAST_TIME_MS ? new Date(timeMs).toISOString() : undefined);
