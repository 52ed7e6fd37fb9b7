import { GatewayError } from '../core/errors';
import type { JsonSlice } from '../core/json-slice';
import { secretsField, textSetting } from './fields';
import type { Preset, PresetContext, PresetSettings } from './preset';
import { readingOf } from './reading';
import { AUTH_TOKEN, TwilioVerifier, type UrlOf, twilioScheme } from './signing/twilio-signature';
import { publicUrlOf } from './signing/twilio-urls';

function urlOf(settings: PresetSettings, { publicUrl }: PresetContext): UrlOf {
  const url = textSetting(settings, 'url')?.replace(/[?#].*$/s, '');
  return (target) => {
    if (url !== undefined) return url + (/\?.*$/s.exec(target)?.[0] ?? '');
    if (publicUrl === null) throw new GatewayError('channel_not_configured', 'hookServer.publicUrl is not set');
    return publicUrlOf(publicUrl, target);
  };
}

export const twilio: Preset = {
  type: 'twilio',
  title: 'Twilio',
  verifies: '`X-Twilio-Signature`: HMAC-SHA1 of the URL and, of a form, its parameters, in base64; of JSON also `bodySHA256` in the URL',
  documentation: 'https://www.twilio.com/docs/usage/webhooks/webhooks-security',
  fields: {
    secrets: secretsField('An auth token, or `<AccountSid>:<token>` for one account', {
      check: (token: string) => (AUTH_TOKEN.test(token) ? undefined : 'must be an auth token, or AccountSid:token'),
    }),
    url: {
      kind: 'text',
      description: 'The URL that is entered at Twilio, where it is not `hookServer.publicUrl` and the source’s path',
      check: (url: string) => (/^https?:\/\//i.test(url) && URL.canParse(url) ? undefined : 'must be an http or https URL'),
    },
  },
  missing: (settings, { publicUrl }) =>
    publicUrl === null && textSetting(settings, 'url') === undefined ? 'hookServer.publicUrl or verification.url' : undefined,
  verifier: (settings, context) => new TwilioVerifier(urlOf(settings, context), settings.secrets),
  scheme: (settings, context) => twilioScheme(urlOf(settings, context)),
  // Any other text would be sent on to the user.
  answer: { status: 200, contentType: 'text/xml; charset=utf-8', body: '<Response/>' },
  reading: readingOf({
    // A form; after these a CloudEvent's `type`.
    eventType: [{ json: 'EventType' }, { json: 'MessageStatus' }, { json: 'SmsStatus' }, { json: 'CallStatus' }, { json: 'type' }],
    // A call asks again and again what to do next, with the same status: only its reports are numbered.
    dedupeKey: [
      { json: ['source', 'id'] },
      { header: 'I-Twilio-Idempotency-Token' },
      { json: ['MessageSid', 'MessageStatus'] },
      { json: ['MessageSid', 'SmsStatus'] },
      { json: ['CallSid', 'CallStatus', 'SequenceNumber'] },
    ],
    timestamp: [{ json: 'time' }, { json: 'Timestamp' }],
    items: (root: JsonSlice) => (root.kind === 'array' ? root.elements() : [root]),
  }),
};
