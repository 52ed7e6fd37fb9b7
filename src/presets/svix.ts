import { TOLERANCE_FIELD, secretsField } from './fields';
import type { Preset, PresetSettings } from './preset';
import { readingOf } from './reading';
import type { HmacScheme } from './signing/scheme';
import { standardKeyProblem, standardScheme, standardVerifier } from './signing/standard-webhooks';

const schemeOf = (settings: PresetSettings): HmacScheme => standardScheme(settings, ['svix', 'webhook']);

export const svix: Preset = {
  type: 'svix',
  title: 'Svix, and those that send by it',
  verifies: '`svix-signature` or `webhook-signature`, as Standard Webhooks',
  documentation: 'https://docs.svix.com/receiving/verifying-payloads/how-manual',
  fields: {
    secrets: secretsField('The endpoint’s signing secret: `whsec_` and base64', { check: standardKeyProblem }),
    toleranceSeconds: TOLERANCE_FIELD,
  },
  verifier: (settings) => standardVerifier(schemeOf(settings), settings.secrets),
  scheme: schemeOf,
  reading: readingOf({
    eventType: [{ json: 'type' }, { json: 'eventType' }],
    dedupeKey: [{ header: 'svix-id' }, { header: 'webhook-id' }],
    timestamp: [{ json: 'timestamp' }],
  }),
};
