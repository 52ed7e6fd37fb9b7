import { randomSecret, secretsField } from './fields';
import type { Preset } from './preset';
import { readingOf } from './reading';
import { hmacVerifier } from './signing/verifier';
import type { HmacScheme } from './signing/scheme';

const SCHEME: HmacScheme = {
  headers: ['X-Hub-Signature-256'],
  prefix: 'sha256=',
  algorithm: 'sha256',
  encoding: 'hex',
  keyForm: 'text',
  signs: 'the body',
  contents: ({ body }) => [[body]],
};

export const github: Preset = {
  type: 'github',
  title: 'GitHub',
  verifies: '`X-Hub-Signature-256`: `sha256=` and HMAC-SHA256 of the body, in hex, whatever its content type',
  documentation: 'https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries',
  fields: { secrets: secretsField('The webhook’s secret', { generate: randomSecret }) },
  verifier: ({ secrets }) => hmacVerifier(SCHEME, secrets),
  scheme: () => SCHEME,
  reading: readingOf({
    eventType: [{ header: 'X-GitHub-Event' }],
    dedupeKey: [{ header: 'X-GitHub-Delivery' }],
    payloadField: 'payload',
  }),
};
