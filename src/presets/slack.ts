import { TOLERANCE_FIELD, secretsField, toleranceOf } from './fields';
import type { Preset, PresetAnswer, PresetSettings, SignedRequest } from './preset';
import { readingOf } from './reading';
import { openBody } from './request/body';
import { headerOf } from './request/header';
import type { HmacScheme } from './signing/scheme';
import { hmacVerifier } from './signing/verifier';

const schemeOf = (settings: PresetSettings): HmacScheme => ({
  headers: ['X-Slack-Signature'],
  prefix: 'v0=',
  algorithm: 'sha256',
  encoding: 'hex',
  keyForm: 'text',
  timestamp: {
    title: 'X-Slack-Request-Timestamp',
    of: (request) => headerOf(request, 'x-slack-request-timestamp'),
    toleranceSeconds: toleranceOf(settings),
  },
  signs: 'the timestamp and the body',
  contents: ({ body }, timestamp) => [['v0:', timestamp, ':', body]],
});

/** Larger ones are events. */
const MAX_CHALLENGE_BYTES = 4_096;

/** `url_verification`: asked when the URL is saved, signed like everything. */
function challengeOf({ body, headers }: SignedRequest): PresetAnswer | undefined {
  if (body.length > MAX_CHALLENGE_BYTES || !body.includes('url_verification')) return undefined;
  const { root } = openBody({ body, contentType: headers['content-type'] ?? '' }, 'payload');
  const challenge = root.member('challenge')?.string();
  if (root.member('type')?.string() !== 'url_verification' || challenge === undefined) return undefined;
  return { status: 200, contentType: 'text/plain; charset=utf-8', body: challenge };
}

export const slack: Preset = {
  type: 'slack',
  title: 'Slack: events, slash commands, interactivity',
  verifies: '`X-Slack-Signature`: `v0=` and HMAC-SHA256 of `v0:`, `X-Slack-Request-Timestamp`, `:` and the body, in hex; the time',
  documentation: 'https://docs.slack.dev/authentication/verifying-requests-from-slack',
  fields: { secrets: secretsField('The app’s signing secret'), toleranceSeconds: TOLERANCE_FIELD },
  verifier: (settings) => hmacVerifier(schemeOf(settings), settings.secrets),
  scheme: schemeOf,
  handshake: {
    title: '`POST` of `{type: "url_verification", challenge}`, signed: the challenge',
    method: 'POST',
    isSigned: true,
    answer: challengeOf,
  },
  reading: readingOf({
    eventType: [{ json: 'event.type' }, { json: 'type' }, { json: 'command' }],
    dedupeKey: [{ json: 'event_id' }, { json: 'trigger_id' }],
    timestamp: [{ json: 'event_time' }],
    payloadField: 'payload',
  }),
};
