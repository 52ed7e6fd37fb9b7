import { Form } from '../../../src/presets/request/form';
import { TwilioSignature } from '../../../src/channels/twilio/twilio.signature';
import type { ServerConfig } from '../../../src/config/app.config';
import type { TwilioConfig } from '../../../src/channels/twilio/twilio.config';
import { AUTH_TOKEN, PUBLIC_URL, signForm, signJson } from '../../support/twilio-sender';
import type { Door, Payload, Vector } from './channel-descriptor';
import { channelSuite } from './channel-suite';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

const formDoor = (path: string): Door => ({
  path,
  contentType: FORM,
  answer: { status: 200, contentType: /^text\/xml/, body: EMPTY },
  malformed: { 'a form of nothing': '', 'a form of separators': '&&&' },
});

const events: Door = {
  ...formDoor('/twilio/events'),
  contentType: JSON_TYPE,
  malformed: { 'JSON that is a text': '"com.twilio"', 'JSON that is a number': '1' },
};

/** One event. Its identity is our number, or the Twilio account where none is named. */
const one = (type: string, identity: string, timestamp?: string): Payload['events'] => [
  { type: `twilio.${type}`, identity, ...(timestamp !== undefined && { timestamp }) },
];

/** Whether the signature of a vector, whose URL is not ours, holds. */
function holds({ secret, url, method, headers, rawBodyBase64, scheme }: Vector): boolean {
  const { origin } = new URL(url);
  const signature = new TwilioSignature(
    { authToken: ['another', secret] } as unknown as TwilioConfig,
    { publicUrl: origin } as ServerConfig,
  );
  const target = url.slice(origin.length);
  const body = Buffer.from(rawBodyBase64, 'base64');
  const header = headers['x-twilio-signature'];
  try {
    if (scheme === 'twilio-json') signature.assertJson(target, body, header);
    else if (method === 'GET') signature.assertQuery(target, Form.parse(target.slice(target.indexOf('?') + 1)), header);
    else signature.assertForm(target, Form.parse(body.toString()), header);
    return true;
  } catch {
    return false;
  }
}

channelSuite({
  name: 'twilio',
  doors: [formDoor('/twilio'), formDoor('/twilio/status'), formDoor('/twilio/voice'), formDoor('/twilio/conversations'), events],
  settings: () => ({ HOOK_SERVER_TWILIO_AUTH_TOKEN: `an-older-token,${AUTH_TOKEN}`, PUBLIC_URL }),
  secrets: ['HOOK_SERVER_TWILIO_AUTH_TOKEN'],
  signatureHeader: 'x-twilio-signature',
  sign: (request) => {
    const sign = request.headers['content-type'] === JSON_TYPE ? signJson : signForm;
    const { path, headers } = sign(request.path, request.body);
    return { ...request, path, headers: { ...request.headers, 'x-twilio-signature': headers['x-twilio-signature']! } };
  },
  vectors: { 'twilio-form': { holds }, 'twilio-json': { holds } },
  payloads: {
    'twilio_sms_inbound.form': { events: one('message', '+12345678901') },
    'twilio_mms_inbound.form': { events: one('message', '+12345678901') },
    'twilio_whatsapp_inbound.form': { events: one('message', 'whatsapp:+14155238886') },
    'twilio_status_callback_delivered.form': { door: '/twilio/status', events: one('status', '+11234567890') },
    'twilio_status_callback_undelivered.form': { door: '/twilio/status', events: one('status', '+11234567890') },
    'twilio_voice_inbound.form': { door: '/twilio/voice', events: one('voice', '+18005551212') },
    'twilio_voice_status_completed.form': {
      door: '/twilio/voice',
      events: one('voice_status', '+18005551212', '2025-01-15T12:00:00.000Z'),
    },
    'twilio_conversations_onMessageAdded.form': {
      door: '/twilio/conversations',
      events: one('onMessageAdded', 'AC0123456789abcdef0123456789abcdef', '2025-01-15T12:00:00.000Z'),
    },
    'twilio_event_streams_batch.json': {
      door: '/twilio/events',
      events: one('com.twilio.messaging.inbound-message.received', '+12345678901', '2025-01-01T00:00:00.000Z'),
    },
    'twilio_event_streams_several.json': {
      door: '/twilio/events',
      events: [
        ...one('com.twilio.messaging.message.delivered', '+15557122661', '2025-01-01T00:00:01.000Z'),
        ...one('com.twilio.voice.insights.call-summary.complete', 'AC0123456789abcdef0123456789abcdef', '2025-01-01T00:00:02.000Z'),
      ],
    },
  },
});
