import { locatorProblemOf } from './locator';
import type { Field, Reading } from './preset';
import { readingOf } from './reading';

/** For senders that no contract describes: what their events are keyed by. */
export const DEDUPE_FIELD: Field = {
  kind: 'text',
  description:
    'Where the key stands by which a repeated event is known: `header:x-delivery-id` or `body:event.id`; not given: nothing is taken for a repetition',
  check: locatorProblemOf,
};

/** One event a request, of any content type. */
export const GENERIC_READING: Reading = { ...readingOf({}), eventType: 'as `eventTypeFrom` says', dedupeKey: 'as `dedupeFrom` says' };
