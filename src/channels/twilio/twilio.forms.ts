import { cleanText } from '../../core/clean-text';
import type { Attachment, IncomingEvent, Statement } from '../../core/hook-event';
import { type DoorFacts, identityOf, inboundStatement, threadIdOf, timestampOf } from './twilio.event';
import { Form } from '../../presets/request/form';
import { type FormKind, kindOf } from './twilio.form-kind';

/**
 * The event that a form tells of; none of an empty one.
 * @throws GatewayError `body_too_large`.
 */
export function readForm(body: Buffer, contentType: string, { route, token, signer }: DoorFacts): IncomingEvent[] {
  const form = Form.parse(body.toString('utf8'));
  if (form.isEmpty) return [];
  const kind = kindOf(route, form);
  const eventType = kind === 'conversation' ? cleanText(form.get('EventType')!, 128) : kind;
  const key = token === undefined ? keyOf(kind, form) : `token:${token}`;
  return [
    {
      application: 'twilio',
      eventType,
      data: form.toJson(),
      body,
      contentType,
      ...identityOf({ signer, number: ourNumber(kind, form), accountSid: form.get('AccountSid') }),
      ...timestampOf(form.get('Timestamp') ?? form.get('DateUpdated') ?? form.get('DateCreated')),
      ...(key !== undefined && { dedupeKey: `${eventType}:${key}` }),
      statement: () => statementOf(kind, form),
    },
  ];
}

/** What comes in has our number in `To`, what goes out in `From`. */
export function ourNumber(kind: FormKind, form: Form): string | undefined {
  switch (kind) {
    case 'message':
      return form.get('To');
    case 'status':
      return form.get('From');
    case 'voice':
    case 'voice_status':
      return form.get(form.get('Direction')?.startsWith('outbound') ? 'From' : 'To');
    case 'conversation':
      return form.get('MessagingBinding.ProxyAddress');
  }
}

/** Undefined for what may come twice with the same ids and be another event: then the request is its own key. */
function keyOf(kind: FormKind, form: Form): string | undefined {
  switch (kind) {
    case 'message':
    case 'status':
      return joined(messageSidOf(form), form.get('MessageStatus') ?? form.get('SmsStatus') ?? 'received');
    case 'voice':
      // A call asks again and again what to do next, with the same status all the while.
      return form.get('CallStatus') === 'in-progress' ? undefined : joined(form.get('CallSid'), form.get('CallStatus'));
    case 'voice_status':
      return joined(form.get('CallSid'), form.get('CallStatus'), form.get('SequenceNumber') ?? form.get('TranscriptionSid') ?? '');
    case 'conversation':
      return conversationKey(form);
  }
}

const messageSidOf = (form: Form): string | undefined => form.get('MessageSid') ?? form.get('SmsSid') ?? form.get('SmsMessageSid');

const joined = (...parts: readonly (string | undefined)[]): string | undefined => (parts.includes(undefined) ? undefined : parts.join(':'));

/** Something is added or removed once, but changed any number of times. */
const ONCE = /^on(Message|Participant|Conversation)(?:Added|Removed)$/;

function conversationKey(form: Form): string | undefined {
  const subject = ONCE.exec(form.get('EventType')!)?.[1];
  return subject === undefined ? undefined : form.get(`${subject}Sid`);
}

function statementOf(kind: FormKind, form: Form): Statement | undefined {
  if (kind === 'message')
    return inboundStatement(form.get('To'), form.get('From'), { text: form.get('Body') ?? '', attachments: mediaOf(form) });
  if (kind === 'conversation' && form.get('EventType') === 'onMessageAdded') return conversationStatement(form);
  return undefined;
}

function mediaOf(form: Form): Attachment[] {
  const media: Attachment[] = [];
  for (let url = form.get('MediaUrl0'); url !== undefined; url = form.get(`MediaUrl${String(media.length)}`)) {
    media.push({ type: form.get(`MediaContentType${String(media.length)}`) ?? 'media', url });
  }
  return media;
}

function conversationStatement(form: Form): Statement | undefined {
  const [conversation, author] = [form.get('ConversationSid'), form.get('Author')];
  if (conversation === undefined || author === undefined) return undefined;
  return {
    threadId: threadIdOf(conversation),
    author: cleanText(author, 256),
    // Through the SDK both customers and agents write; through the API only what belongs to the account does.
    isOwn: form.get('Source')?.toUpperCase() === 'API',
    text: form.get('Body') ?? '',
    attachments: conversationMediaOf(form.get('Media')),
  };
}

/** A JSON list of what is to be fetched from Twilio by its Sid. */
function conversationMediaOf(media: string | undefined): Attachment[] {
  try {
    const items: unknown = JSON.parse(media ?? '[]');
    return Array.isArray(items) ? items.map((item) => ({ type: contentTypeOf(item) ?? 'media' })) : [];
  } catch {
    return [];
  }
}

function contentTypeOf(item: unknown): string | undefined {
  const type = typeof item === 'object' && item !== null && 'ContentType' in item ? item.ContentType : undefined;
  return typeof type === 'string' ? type : undefined;
}
