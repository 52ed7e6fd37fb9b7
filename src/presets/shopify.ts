import { GatewayError } from '../core/errors';
import { secretsField } from './fields';
import type { Preset } from './preset';
import { readingOf } from './reading';
import type { HmacScheme } from './signing/scheme';
import { hmacVerifier } from './signing/verifier';

const SCHEME: HmacScheme = {
  // Shopify's newer events are without the X.
  headers: ['X-Shopify-Hmac-Sha256', 'Shopify-Hmac-Sha256'],
  prefix: '',
  algorithm: 'sha256',
  encoding: 'base64',
  keyForm: 'text',
  signs: 'the body',
  contents({ body }) {
    if (body.length === 0) throw new GatewayError('signature_invalid', 'Shopify sends no empty body');
    return [[body]];
  },
};

export const shopify: Preset = {
  type: 'shopify',
  title: 'Shopify',
  verifies: '`X-Shopify-Hmac-Sha256` or `Shopify-Hmac-Sha256`: HMAC-SHA256 of the body, in base64',
  documentation: 'https://shopify.dev/docs/apps/build/webhooks/verify-deliveries',
  fields: { secrets: secretsField('The app’s client secret') },
  verifier: ({ secrets }) => hmacVerifier(SCHEME, secrets),
  scheme: () => SCHEME,
  reading: readingOf({
    eventType: [{ header: 'X-Shopify-Topic' }, { header: 'Shopify-Topic' }],
    dedupeKey: [{ header: 'X-Shopify-Webhook-Id' }, { header: 'Shopify-Webhook-Id' }],
    timestamp: [{ header: 'X-Shopify-Triggered-At' }, { header: 'Shopify-Triggered-At' }],
  }),
};
