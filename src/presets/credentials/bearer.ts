import { GatewayError } from '../../core/errors';
import { randomSecret, secretsField } from '../fields';
import { DEDUPE_FIELD, GENERIC_READING } from '../generic';
import type { Preset } from '../preset';
import { authorizationOf } from './authorization';
import { isOneOf } from './one-of';

export const bearer: Preset = {
  type: 'bearer',
  title: 'Bearer token',
  verifies: '`Authorization: Bearer`: a token that both sides know; proves nothing about the body',
  documentation: 'https://www.rfc-editor.org/rfc/rfc6750',
  fields: {
    secrets: secretsField('The token, without spaces', { check: tokenProblemOf, generate: randomSecret }),
    dedupeFrom: DEDUPE_FIELD,
  },
  verifier: ({ secrets }) => ({
    assertValid(request) {
      if (isOneOf(authorizationOf(request, 'Bearer'), secrets)) return undefined;
      throw new GatewayError('signature_invalid', 'The bearer token is another one');
    },
  }),
  reading: GENERIC_READING,
};

/** What a header could not hold as one word. */
export function tokenProblemOf(token: string): string | undefined {
  return /^[\x21-\x7e]+$/.test(token) ? undefined : 'must be printable ASCII without spaces';
}
