import { TwilioAnswers } from './twilio.answers';
import type { TwilioConfig } from './twilio.config';
import { Form } from '../../presets/request/form';
import type { FormKind } from './twilio.form-kind';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';
const EMPTY = `${HEAD}<Response/>`;
const HANG_UP = '<Response><Hangup/></Response>';

const answers = new TwilioAnswers({
  replies: {
    message: { '+1': 'Fish & chips?', 'whatsapp:+1': ` ${HANG_UP}\n`, '+2': '', default: 'Thanks!' },
    voice: { '+1': 'Please hold' },
  },
} as unknown as TwilioConfig);

it.each<[FormKind, Record<string, string>, string]>([
  ['message', { To: '+1' }, `${HEAD}<Response><Message>Fish &amp; chips?</Message></Response>`],
  ['message', { To: 'whatsapp:+1' }, HANG_UP],
  ['message', { To: '+2' }, EMPTY],
  ['message', { To: '+3' }, `${HEAD}<Response><Message>Thanks!</Message></Response>`],
  ['message', {}, `${HEAD}<Response><Message>Thanks!</Message></Response>`],
  ['voice', { To: '+1' }, `${HEAD}<Response><Say>Please hold</Say></Response>`],
  ['voice', { To: '+2' }, EMPTY],
  ['voice', { From: '+1', To: '+2', Direction: 'outbound-api' }, `${HEAD}<Response><Say>Please hold</Say></Response>`],
  ['status', { To: '+1', From: '+1' }, EMPTY],
  ['voice_status', { To: '+1' }, EMPTY],
  ['conversation', { To: '+1', EventType: 'onMessageAdded' }, EMPTY],
  ['conversation', { EventType: 'onConversationStateUpdated' }, EMPTY],
  ['conversation', { EventType: 'onMessageAdd' }, ''],
  ['conversation', { EventType: 'onConversationUpdate' }, ''],
  ['conversation', { EventType: 'onParticipantRemove' }, ''],
])('a %s %j is answered with %s', (kind, form, answer) => {
  expect(answers.to(kind, Form.parse(new URLSearchParams(form).toString()))).toBe(answer);
});

it('is silent where nothing is set', () => {
  const silent = new TwilioAnswers({ replies: { message: {}, voice: {} } } as unknown as TwilioConfig);
  for (const kind of ['message', 'voice'] as const) expect(silent.to(kind, Form.parse('To=constructor'))).toBe(EMPTY);
});
