import { GatewayError } from '../../core/errors';
import { randomSecret, secretsField, textSetting } from '../fields';
import { DEDUPE_FIELD, GENERIC_READING } from '../generic';
import type { Preset, PresetSettings, SignedRequest } from '../preset';
import { requiredHeader } from '../request/header';
import { headerNameProblemOf } from '../request/header-name';
import { queryOf, singleOf } from '../request/query';
import { isOneOf } from './one-of';

export const apiKey: Preset = {
  type: 'api-key',
  title: 'API key',
  verifies: 'a key in a header or query parameter of your choice; proves nothing about the body',
  documentation: 'https://spec.openapis.org/oas/v3.1.0#security-scheme-object',
  fields: {
    secrets: secretsField('The key', { generate: randomSecret }),
    header: { kind: 'text', description: 'Header that holds it, such as `X-API-Key`', check: headerNameProblemOf },
    parameter: { kind: 'text', description: 'Or the query parameter; proxies may write it to their logs' },
    dedupeFrom: DEDUPE_FIELD,
  },
  problems: ({ header, parameter }) =>
    (header === undefined) === (parameter === undefined) ? [{ path: 'header', message: 'or parameter must be given, and not both' }] : [],
  verifier: (settings) => ({
    assertValid(request) {
      if (isOneOf(keyOf(request, settings), settings.secrets)) return undefined;
      throw new GatewayError('signature_invalid', 'The API key is another one');
    },
  }),
  reading: GENERIC_READING,
};

function keyOf(request: SignedRequest, settings: PresetSettings): string {
  const header = textSetting(settings, 'header');
  if (header !== undefined) return requiredHeader(request, header.toLowerCase());
  const parameter = textSetting(settings, 'parameter') ?? '';
  const key = singleOf(queryOf(request.target), parameter);
  if (key === undefined || key === '') throw new GatewayError('signature_missing', `There is no parameter ${parameter}`);
  return key;
}
