import { GatewayError } from '../core/errors';
import { isSameText } from '../core/same-text';
import { secretsField, textSetting } from './fields';
import { metaReading } from './meta.reading';
import type { Preset } from './preset';
import { type Query, queryOf, singleOf } from './request/query';
import type { HmacScheme } from './signing/scheme';
import { hmacVerifier } from './signing/verifier';

/** Of the bytes as they came: Meta escapes what is not ASCII before it signs, and sends it so. */
export const META_SCHEME: HmacScheme = {
  headers: ['X-Hub-Signature-256'],
  prefix: 'sha256=',
  algorithm: 'sha256',
  encoding: 'hex',
  keyForm: 'text',
  signs: 'the body',
  contents: ({ body }) => [[body]],
};

/** Meta calls it a number; any printable text will do, but not without end. */
const CHALLENGE = /^[\x20-\x7e]{1,512}$/;

/**
 * Meta's handshake when a callback URL is saved.
 * @returns The challenge, to be sent back alone.
 * @throws GatewayError `verify_token_mismatch`, `malformed_request`.
 */
export function metaChallenge(query: Query, verifyToken: string): string {
  const token = singleOf(query, 'hub.verify_token');
  const mode = singleOf(query, 'hub.mode');
  const challenge = singleOf(query, 'hub.challenge');
  if (token === undefined || !isSameText(token, verifyToken)) throw new GatewayError('verify_token_mismatch');
  if (mode !== 'subscribe') throw new GatewayError('verify_token_mismatch', 'The token is right, but hub.mode is not "subscribe"');
  if (challenge === undefined || !CHALLENGE.test(challenge)) {
    throw new GatewayError('malformed_request', 'hub.challenge must be 1 to 512 printable ASCII characters');
  }
  return challenge;
}

export const meta: Preset = {
  type: 'meta',
  title: 'Meta: Messenger, Instagram, WhatsApp',
  verifies: '`X-Hub-Signature-256`: `sha256=` and HMAC-SHA256 of the body, in hex',
  documentation: 'https://developers.facebook.com/docs/graph-api/webhooks/getting-started',
  fields: {
    secrets: secretsField('The app secret'),
    verifyToken: { kind: 'secret', description: 'What you enter beside the callback URL; without it the URL cannot be saved' },
  },
  verifier: ({ secrets }) => hmacVerifier(META_SCHEME, secrets),
  scheme: () => META_SCHEME,
  handshake: {
    title: '`GET` with `hub.mode`, `hub.verify_token`, `hub.challenge`: the challenge',
    method: 'GET',
    isSigned: false,
    answer({ target }, settings) {
      const verifyToken = textSetting(settings, 'verifyToken');
      if (verifyToken === undefined) throw new GatewayError('channel_not_configured', 'verifyToken is not set');
      return { status: 200, contentType: 'text/plain; charset=utf-8', body: metaChallenge(queryOf(target), verifyToken) };
    },
  },
  answer: { status: 200, contentType: 'text/plain; charset=utf-8', body: 'EVENT_RECEIVED' },
  reading: metaReading,
};
