import { TOLERANCE_FIELD, secretsField } from './fields';
import type { Preset, PresetSettings } from './preset';
import { readingOf } from './reading';
import type { HmacScheme } from './signing/scheme';
import { standardKey, standardKeyProblem, standardScheme, standardVerifier } from './signing/standard-webhooks';

const schemeOf = (settings: PresetSettings): HmacScheme => standardScheme(settings, ['webhook', 'svix']);

export const standardWebhooks: Preset = {
  type: 'standard-webhooks',
  title: 'Standard Webhooks 1.0',
  verifies: '`webhook-signature`: `v1,` and HMAC-SHA256, or `v1a,` and Ed25519, of id, timestamp and body, in base64; the time',
  documentation: 'https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md',
  fields: {
    secrets: secretsField('`whsec_` and base64 (v1), or a public key: `whpk_` and base64 (v1a)', {
      check: standardKeyProblem,
      generate: standardKey,
    }),
    toleranceSeconds: TOLERANCE_FIELD,
  },
  verifier: (settings) => standardVerifier(schemeOf(settings), settings.secrets),
  scheme: schemeOf,
  reading: readingOf({
    eventType: [{ json: 'type' }],
    dedupeKey: [{ header: 'webhook-id' }, { header: 'svix-id' }],
    timestamp: [{ json: 'timestamp' }],
  }),
};
