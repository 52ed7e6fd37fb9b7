import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IncomingEvent } from '../../core/hook-event';
import { parseTwilio } from './twilio.parser';

const FORM = 'application/x-www-form-urlencoded; charset=utf-8';
const ACCOUNT = 'AC0123456789abcdef0123456789abcdef';
const payload = (name: string): Buffer => readFileSync(join(__dirname, '../../../test/fixtures/twilio/payloads', name));

const read = (form: Buffer | Record<string, string> | string, attributes: Record<string, string> = {}): IncomingEvent => {
  const body = Buffer.isBuffer(form) ? form : Buffer.from(new URLSearchParams(form).toString());
  const events = parseTwilio({ body, contentType: FORM, attributes });
  expect(events).toHaveLength(1);
  return events[0]!;
};

it('has the parameters, decoded, as its data, and the bytes as they came as its body', () => {
  const body = payload('twilio_sms_inbound.form');
  const event = read(body);
  expect(event).toMatchObject({ application: 'twilio', eventType: 'message', contentType: FORM });
  expect(event.body).toBe(body);
  expect(JSON.parse(event.data.toString())).toMatchObject({ Body: 'Ahoy! café + 100% 😀', From: '+11234567890', NumMedia: '0' });
});

it('is none where a form says nothing', () => {
  expect(parseTwilio({ body: Buffer.alloc(0), contentType: FORM })).toEqual([]);
});

describe('its type', () => {
  it.each<[string, Record<string, string>, string]>([
    ['message', { Body: 'a', SmsStatus: 'received' }, 'message'],
    ['message', { MessageStatus: 'delivered', MessageSid: 'SM1' }, 'status'],
    ['message', { SmsStatus: 'sent' }, 'status'],
    ['message', { CallSid: 'CA1', CallStatus: 'ringing' }, 'voice'],
    ['message', { EventType: 'onConversationUpdated', ConversationSid: 'CH1' }, 'onConversationUpdated'],
    ['message', { Anything: 'else' }, 'message'],
    ['status', { MessageStatus: 'received' }, 'status'],
    ['status', { CallSid: 'CA1', CallStatus: 'completed' }, 'voice_status'],
    ['voice', { CallSid: 'CA1', CallStatus: 'in-progress', Digits: '1' }, 'voice'],
    ['voice', { CallSid: 'CA1', CallStatus: 'completed', CallDuration: '42' }, 'voice_status'],
    ['voice', { CallSid: 'CA1', CallbackSource: 'call-progress-events', CallStatus: 'ringing' }, 'voice_status'],
    ['voice', { CallSid: 'CA1', RecordingStatus: 'completed' }, 'voice_status'],
    ['voice', { CallSid: 'CA1', CallStatus: 'completed', TranscriptionSid: 'TR1' }, 'voice_status'],
    ['voice', { ConferenceSid: 'CF1', StatusCallbackEvent: 'conference-end' }, 'voice_status'],
    ['message', { ConferenceSid: 'CF1', StatusCallbackEvent: 'conference-start' }, 'voice_status'],
    ['voice', { Digits: '1' }, 'voice'],
    ['conversations', { EventType: 'onUserUpdated' }, 'onUserUpdated'],
    ['conversations', { EventType: `on\u0000${'x'.repeat(500)}` }, `on\ufffd${'x'.repeat(125)}`],
    ['nonsense', { Body: 'a' }, 'message'],
  ])('at the door %s, %j gives %s', (route, form, eventType) => {
    expect(read(form, { route }).eventType).toBe(eventType);
  });
});

describe('its key', () => {
  const keyOf = (form: Record<string, string>, attributes: Record<string, string> = {}) => read(form, attributes).dedupeKey;

  it('is Twilio’s token where there is one, within the type of event', () => {
    expect(keyOf({ MessageSid: 'SM1' }, { token: 't' })).toBe('message:token:t');
    expect(keyOf({ MessageSid: 'SM1', MessageStatus: 'sent' }, { token: 't' })).toBe('status:token:t');
  });

  it.each<[Record<string, string>, string | undefined]>([
    [{ MessageSid: 'SM1', SmsStatus: 'received' }, 'message:SM1:received'],
    [{ MessageSid: 'SM1', SmsStatus: 'received', ErrorCode: '11200', ErrorUrl: 'https://a' }, 'message:SM1:received'],
    [{ SmsSid: 'SM1' }, 'message:SM1:received'],
    [{ SmsMessageSid: 'SM1' }, 'message:SM1:received'],
    [{ Body: 'a' }, undefined],
    [{ MessageSid: 'SM1', MessageStatus: 'sent', SmsStatus: 'sent' }, 'status:SM1:sent'],
    [{ MessageSid: 'SM1', MessageStatus: 'delivered' }, 'status:SM1:delivered'],
    [{ CallSid: 'CA1', CallStatus: 'ringing' }, 'voice:CA1:ringing'],
    [{ CallSid: 'CA1', CallStatus: 'in-progress', Digits: '1' }, undefined],
    [{ CallSid: 'CA1', CallStatus: 'completed', CallDuration: '1' }, 'voice_status:CA1:completed:'],
    [{ CallSid: 'CA1', CallStatus: 'ringing', CallbackSource: 'x', SequenceNumber: '1' }, 'voice_status:CA1:ringing:1'],
    [{ CallSid: 'CA1', RecordingSid: 'RE1', RecordingStatus: 'completed' }, undefined],
    [{ CallSid: 'CA1', CallStatus: 'completed', TranscriptionSid: 'TR1' }, 'voice_status:CA1:completed:TR1'],
    [{ EventType: 'onMessageAdded', ConversationSid: 'CH1', MessageSid: 'IM1' }, 'onMessageAdded:IM1'],
    [{ EventType: 'onMessageAdd', ConversationSid: 'CH1' }, undefined],
    [{ EventType: 'onMessageUpdated', ConversationSid: 'CH1', MessageSid: 'IM1' }, undefined],
    [{ EventType: 'onParticipantRemoved', ConversationSid: 'CH1', ParticipantSid: 'MB1' }, 'onParticipantRemoved:MB1'],
    [{ EventType: 'onConversationAdded', ConversationSid: 'CH1' }, 'onConversationAdded:CH1'],
  ])('without it, of %j, is %s', (form, key) => {
    expect(keyOf(form)).toBe(key);
  });
});

describe('its identity', () => {
  const idsOf = (form: Record<string, string>, attributes: Record<string, string> = {}): string[] => {
    const { identity } = read({ AccountSid: ACCOUNT, From: '+1', To: '+2', ...form }, attributes);
    expect(identity?.channel).toBe('twilio');
    return [identity!.externalId, ...identity!.fallbackIds!];
  };

  it.each<[string, Record<string, string>, string]>([
    ['a message came to', { SmsStatus: 'received' }, '+2'],
    ['a WhatsApp message came to', { To: 'whatsapp:+2' }, 'whatsapp:+2'],
    ['a message with a status came from', { MessageSid: 'SM1', MessageStatus: 'sent' }, '+1'],
    ['a call came to', { CallSid: 'CA1', Direction: 'inbound' }, '+2'],
    ['a call to us ended', { CallSid: 'CA1', Direction: 'inbound', CallDuration: '1' }, '+2'],
    ['a call was made from', { CallSid: 'CA1', Direction: 'outbound-api', CallDuration: '1' }, '+1'],
    ['a conversation began at', { EventType: 'onConversationAdded', ConversationSid: 'CH1', 'MessagingBinding.ProxyAddress': '+3' }, '+3'],
  ])('is the number that %s, then the account', (_what, form, number) => {
    expect(idsOf(form)).toEqual([number, ACCOUNT]);
  });

  it('is the account where no number of ours is named', () => {
    expect(idsOf({ EventType: 'onMessageAdded', ConversationSid: 'CH1' })).toEqual([ACCOUNT]);
    expect(read({ Body: 'a' }).identity).toBeUndefined();
  });

  it('is the account alone where its own token signed: it could name any number', () => {
    expect(idsOf({ SmsStatus: 'received' }, { signer: ACCOUNT })).toEqual([ACCOUNT]);
  });
});

it.each<[Record<string, string>, string | undefined]>([
  [{ CallSid: 'CA1', Timestamp: 'Wed, 15 Jan 2025 12:00:00 +0100' }, '2025-01-15T11:00:00.000Z'],
  [
    { EventType: 'onMessageUpdated', ConversationSid: 'CH1', DateCreated: '2025-01-15T12:00:00Z', DateUpdated: '2025-01-15T12:00:01.5Z' },
    '2025-01-15T12:00:01.500Z',
  ],
  [{ Timestamp: 'yesterday' }, undefined],
  [{ RawDlrDoneDate: '2501151200' }, undefined],
])('%j happened at %s', (form, timestamp) => {
  expect(read(form).timestamp).toBe(timestamp);
});

describe('what was said', () => {
  it('is in the thread of our number and theirs', () => {
    expect(read(payload('twilio_whatsapp_inbound.form')).statement?.()).toEqual({
      threadId: 'twilio:whatsapp:+14155238886:whatsapp:+16505551234',
      author: 'whatsapp:+16505551234',
      isOwn: false,
      text: 'hi',
      attachments: [],
    });
  });

  it('has what was sent with it', () => {
    const { text, attachments } = read(payload('twilio_mms_inbound.form')).statement!()!;
    expect(text).toBe('');
    expect(attachments).toEqual([
      { type: 'image/jpeg', url: expect.stringMatching(/^https:\/\/api\.twilio\.com\/.+ME0123/) },
      { type: 'image/png', url: expect.stringMatching(/^https:\/\/api\.twilio\.com\/.+ME1123/) },
    ]);
  });

  it('is in the thread of its conversation, own when it came through the API', () => {
    expect(read(payload('twilio_conversations_onMessageAdded.form')).statement?.()).toEqual({
      threadId: 'twilio:CH0123456789abcdef0123456789abcdef',
      author: 'whatsapp:+16505551234',
      isOwn: false,
      text: 'Is it in stock?',
      attachments: [{ type: 'image/jpeg' }],
    });
    const form = { EventType: 'onMessageAdded', ConversationSid: 'CH1', Author: 'system', Source: 'API' };
    expect(read(form).statement?.()).toMatchObject({ isOwn: true, text: '', attachments: [] });
  });

  it.each(['[', '{"a":1}', '[1,null,{"ContentType":2}]', 'null'])('does without media that cannot be read: %s', (media) => {
    const form = { EventType: 'onMessageAdded', ConversationSid: 'CH1', Author: 'a', Media: media };
    expect(
      read(form)
        .statement?.()
        ?.attachments.every(({ type }) => type === 'media'),
    ).toBe(true);
  });

  it('is in a thread whose id is plain text, whoever writes', () => {
    const statement = read({ From: 'rcs:Café Ω\u0001', To: 'messenger:1', Body: 'a' }).statement?.();
    expect(statement?.threadId).toBe('twilio:messenger:1:rcs:Caf%C3%A9%20%CE%A9%EF%BF%BD');
  });

  it.each<Record<string, string>>([
    { From: '+1', Body: 'a' },
    { To: '+1', Body: 'a' },
    { From: '+1', To: '+2', MessageSid: 'SM1', MessageStatus: 'delivered' },
    { From: '+1', To: '+2', CallSid: 'CA1', CallStatus: 'ringing' },
    { EventType: 'onMessageAdd', ConversationSid: 'CH1', Author: 'a', Body: 'a' },
    { EventType: 'onMessageAdded', ConversationSid: 'CH1', Body: 'a' },
  ])('is nothing in %j', (form) => {
    expect(read(form).statement?.()).toBeUndefined();
  });
});
