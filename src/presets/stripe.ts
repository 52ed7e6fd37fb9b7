import { TOLERANCE_FIELD, secretsField, toleranceOf } from './fields';
import type { Preset, PresetSettings } from './preset';
import { readingOf } from './reading';
import { headerOf } from './request/header';
import type { HmacScheme } from './signing/scheme';
import { hmacVerifier } from './signing/verifier';

const schemeOf = (settings: PresetSettings): HmacScheme => ({
  headers: ['Stripe-Signature'],
  prefix: 'v1=',
  separator: ',',
  algorithm: 'sha256',
  encoding: 'hex',
  // Unlike Standard Webhooks: the whole text, `whsec_` and all.
  keyForm: 'text',
  timestamp: {
    title: 't in Stripe-Signature',
    of: (request) => /(?:^|,)t=([^,]*)/.exec(headerOf(request, 'stripe-signature') ?? '')?.[1],
    toleranceSeconds: toleranceOf(settings),
  },
  signs: 'its timestamp and the body',
  contents: ({ body }, timestamp) => [[timestamp, '.', body]],
});

export const stripe: Preset = {
  type: 'stripe',
  title: 'Stripe',
  verifies: '`Stripe-Signature`: `v1=` and HMAC-SHA256 of `t`, a dot and the body, in hex; the time `t`',
  documentation: 'https://docs.stripe.com/webhooks/signature',
  fields: { secrets: secretsField('The endpoint’s signing secret, `whsec_` included'), toleranceSeconds: TOLERANCE_FIELD },
  verifier: (settings) => hmacVerifier(schemeOf(settings), settings.secrets),
  scheme: schemeOf,
  reading: readingOf({ eventType: [{ json: 'type' }], dedupeKey: [{ json: 'id' }], timestamp: [{ json: 'created' }] }),
};
