import type { Field, Reading } from './preset';
import { readingOf } from './reading';

/** For senders that no contract describes: what their events are keyed by. */
export const DEDUPE_FIELD: Field = {
  kind: 'text',
  description:
    'Where the key stands by which a repeated event is known: `header:x-delivery-id` or `body:event.id`; not given: nothing is taken for a repetition',
  check: (place: string) =>
    /^(header:[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}|body:.+)$/.test(place) ? undefined : 'must be header:<name> or body:<path>',
};

/** One event a request, of any content type. */
export const GENERIC_READING: Reading = { ...readingOf({}), eventType: 'as `eventTypeFrom` says', dedupeKey: 'as `dedupeFrom` says' };
