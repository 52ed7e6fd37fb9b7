import type { Attachment, Statement } from '../../core/hook-event';
import type { JsonSlice } from '../../core/json-slice';
import { textOf } from './facebook.item';

type Slice = JsonSlice | undefined;
type Said = Pick<Statement, 'text' | 'attachments'>;
type Json = Record<string, unknown>;

/** WhatsApp's messages that say nothing: a reaction to another one, a change of number, what it could not pass on. */
const MUTE: ReadonlySet<unknown> = new Set([undefined, 'reaction', 'system', 'unsupported', 'request_welcome']);

/**
 * What was said between a page (or Instagram account) and a person: messages of both, and the title of a button that was pressed.
 * Undefined for receipts, reactions, deletions and the like.
 */
export function messagingStatement(item: JsonSlice, application: string, account: string | undefined): Statement | undefined {
  const message = item.member('message');
  const said = message?.kind === 'object' ? saidIn(message) : pressed(item.member('postback'));
  const sender = said && textOf(item.member('sender')?.member('id'));
  const recipient = said && textOf(item.member('recipient')?.member('id'));
  if (!said || !account || !sender || !recipient) return undefined;
  const isOwn = isTrue(message?.member('is_echo')) || sender === account;
  return { threadId: `${application}:${account}:${isOwn ? recipient : sender}`, author: sender, isOwn, ...said };
}

/** A person's message to a phone number; what the number itself sends, WhatsApp does not tell. */
export function whatsappStatement(message: JsonSlice, phoneNumberId: string | undefined): Statement | undefined {
  const content = objectOf(message);
  const author = content && textOf(message.member('from'));
  if (!content || !phoneNumberId || !author || MUTE.has(content['type'])) return undefined;
  const said = writtenIn(content) ?? attachedIn(content);
  return said && { threadId: `whatsapp:${phoneNumberId}:${author}`, author, isOwn: false, ...said };
}

/** The message as a whole is not parsed: it may be long, and most of it is its text. */
function saidIn(message: JsonSlice): Said | undefined {
  if (isTrue(message.member('is_deleted'))) return undefined;
  const attachments = message.member('attachments')?.parse();
  return saidOf(message.member('text')?.string(), Array.isArray(attachments) ? attachments.filter(isObject).map(attachmentOf) : []);
}

const attachmentOf = (attachment: Json): Attachment => withUrl(textIn(attachment, 'type') ?? 'unknown', memberOf(attachment, 'payload'));

const pressed = (postback: Slice): Said | undefined => postback && saidOf(postback.member('title')?.string(), []);

/** Text, or the title of the button or the row that was chosen. */
function writtenIn(message: Json): Said | undefined {
  const interactive = memberOf(message, 'interactive');
  const reply = interactive && (memberOf(interactive, 'button_reply') ?? memberOf(interactive, 'list_reply'));
  const text = textIn(memberOf(message, 'text'), 'body') ?? textIn(memberOf(message, 'button'), 'text') ?? textIn(reply, 'title');
  return text === undefined ? undefined : { text, attachments: [] };
}

/** A file, a place, a contact: under the key that its type names. */
function attachedIn(message: Json): Said | undefined {
  const type = textIn(message, 'type');
  const content = type === undefined ? undefined : memberOf(message, type);
  return type === undefined ? undefined : { text: textIn(content, 'caption') ?? '', attachments: [withUrl(type, content)] };
}

function withUrl(type: string, content: Json | undefined): Attachment {
  const url = textIn(content, 'url');
  return url === undefined ? { type } : { type, url };
}

const saidOf = (text = '', attachments: Attachment[]): Said | undefined =>
  text === '' && attachments.length === 0 ? undefined : { text, attachments };

const isTrue = (slice: Slice): boolean => slice?.text() === 'true';

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

const objectOf = (slice: Slice): Json | undefined => (slice?.kind === 'object' ? (slice.parse() as Json) : undefined);

const memberOf = (value: Json, key: string): Json | undefined => (isObject(value[key]) ? value[key] : undefined);

function textIn(value: Json | undefined, key: string): string | undefined {
  const text = value?.[key];
  return typeof text === 'string' && text !== '' ? text : undefined;
}
