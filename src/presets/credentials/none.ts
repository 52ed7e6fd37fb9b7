import { DEDUPE_FIELD, GENERIC_READING } from '../generic';
import type { Preset } from '../preset';

export const none: Preset = {
  type: 'none',
  title: 'Nothing',
  verifies: '**nothing**: whoever knows the URL can send any event',
  documentation: 'https://www.rfc-editor.org/rfc/rfc9110#section-17',
  fields: { dedupeFrom: DEDUPE_FIELD },
  verifier: () => ({ assertValid: () => undefined }),
  reading: GENERIC_READING,
};
