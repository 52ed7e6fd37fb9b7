import { GatewayError } from '../../core/errors';
import { isSameText } from '../../core/same-text';
import { randomSecret, secretsField } from '../fields';
import { DEDUPE_FIELD, GENERIC_READING } from '../generic';
import type { Preset } from '../preset';
import { authorizationOf } from './authorization';
import { isOneOf } from './one-of';

export const basic: Preset = {
  type: 'basic',
  title: 'User and password',
  verifies: '`Authorization: Basic`: user and password; proves nothing about the body',
  documentation: 'https://www.rfc-editor.org/rfc/rfc7617',
  fields: {
    user: {
      kind: 'text',
      required: true,
      description: 'The user’s name, without a colon',
      check: (user: string) => (user.includes(':') ? 'must not hold a colon' : undefined),
    },
    secrets: secretsField('The password', { generate: randomSecret }),
    dedupeFrom: DEDUPE_FIELD,
  },
  verifier: ({ user, secrets }) => ({
    assertValid(request) {
      const given = Buffer.from(authorizationOf(request, 'Basic'), 'base64').toString('utf8');
      const colon = given.indexOf(':');
      const isUser = isSameText(given.slice(0, Math.max(colon, 0)), user as string);
      const isPassword = isOneOf(given.slice(colon + 1), secrets);
      if (colon === -1 || !isUser || !isPassword) throw new GatewayError('signature_invalid', 'The user or the password is wrong');
      return undefined;
    },
  }),
  reading: GENERIC_READING,
};
