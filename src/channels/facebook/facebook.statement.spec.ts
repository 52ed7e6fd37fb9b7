import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Statement } from '../../core/hook-event';
import { parseFacebook } from './facebook.parser';

const folder = join(__dirname, '../../../test/fixtures/facebook/payloads');
const read = (body: Buffer | object): (Statement | undefined)[] =>
  parseFacebook(Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)), 'application/json').map(({ statement }) => statement?.());
const ofPayload = (name: string): (Statement | undefined)[] => read(readFileSync(join(folder, `meta_${name}.json`)));

const page = (item: object, list = 'messaging', object = 'page'): Statement | undefined =>
  read({ object, entry: [{ id: 'PAGE', time: 1_457_764_198_246, [list]: [{ timestamp: 1, ...item }] }] })[0];
const toPage = { sender: { id: 'USER' }, recipient: { id: 'PAGE' } };
const fromPage = { sender: { id: 'PAGE' }, recipient: { id: 'USER' } };

const whatsapp = (message: object, metadata: object = { phone_number_id: 'PHONE' }): Statement | undefined =>
  read({
    object: 'whatsapp_business_account',
    entry: [{ id: 'WABA', changes: [{ field: 'messages', value: { metadata, messages: [{ from: '4917', id: 'wamid.1', ...message }] } }] }],
  })[0];

const ofUser = { threadId: 'facebook:PAGE:USER', author: 'USER', isOwn: false };
const ofWriter = { threadId: 'whatsapp:PHONE:4917', author: '4917', isOwn: false };

it('is found in the published payloads', () => {
  expect(ofPayload('instagram_message')).toEqual([
    {
      threadId: 'instagram:17841400000000001:IGSID_5001',
      author: 'IGSID_5001',
      isOwn: false,
      text: 'Hi, is this in stock?',
      attachments: [],
    },
  ]);
  expect(ofPayload('whatsapp_message')).toEqual([
    {
      threadId: 'whatsapp:106540352242922:16505551234',
      author: '16505551234',
      isOwn: false,
      text: 'Does it come in another color?',
      attachments: [],
    },
  ]);
  expect(ofPayload('page_message_escaped')).toEqual(ofPayload('page_message_decoded_utf8'));
  expect(ofPayload('page_batch').map((statement) => statement !== undefined)).toEqual([
    ...[true, true, true, false, false],
    ...[true, true, false, true],
  ]);
});

it.each(['page_feed_changes', 'user_photos_changes', 'whatsapp_status_batch'])('is not in %s', (name) => {
  expect(ofPayload(name).filter((statement) => statement !== undefined)).toEqual([]);
});

it.each<[string, object, Partial<Statement>]>([
  ['a message', { ...toPage, message: { mid: 'm', text: 'Grüße\n👋' } }, { ...ofUser, text: 'Grüße\n👋', attachments: [] }],
  [
    'attachments',
    { ...toPage, message: { attachments: [{ type: 'image', payload: { url: 'https://cdn/1' } }, { type: 'location', payload: {} }, 1] } },
    { ...ofUser, text: '', attachments: [{ type: 'image', url: 'https://cdn/1' }, { type: 'location' }] },
  ],
  ['a button that was pressed', { ...toPage, postback: { title: 'Get started', payload: 'START' } }, { ...ofUser, text: 'Get started' }],
  [
    'an echo',
    { ...fromPage, message: { is_echo: true, app_id: 1, text: 'Hello' } },
    { threadId: 'facebook:PAGE:USER', author: 'PAGE', isOwn: true, text: 'Hello' },
  ],
  [
    'ids that are numbers',
    { sender: { id: 17841400000000001 }, recipient: { id: 'PAGE' }, message: { text: 'a' } },
    { author: '17841400000000000' },
  ],
])('of Messenger: %s', (_what, item, expected) => {
  expect(page(item)).toMatchObject(expected);
});

it('of Messenger is also what another app is told first', () => {
  expect(page({ ...toPage, message: { text: 'to the agent' } }, 'standby')).toMatchObject({ ...ofUser, text: 'to the agent' });
});

it('of Instagram is in a thread of its own', () => {
  expect(page({ ...toPage, message: { text: 'a' } }, 'messaging', 'instagram')?.threadId).toBe('instagram:PAGE:USER');
});

it.each<[string, object]>([
  ['a deleted message', { ...toPage, message: { mid: 'm', is_deleted: true, text: 'a' } }],
  ['a message without content', { ...toPage, message: { mid: 'm', is_unsupported: true } }],
  ['a message that is none', { ...toPage, message: 'hello' }],
  ['text that is none', { ...toPage, message: { text: { a: 1 }, attachments: 'none' } }],
  ['a receipt', { ...toPage, read: { watermark: 1 } }],
  ['a reaction', { ...toPage, reaction: { reaction: 'love' } }],
  ['a button without a title', { ...toPage, postback: { payload: 'START' } }],
  ['nobody', { recipient: { id: 'PAGE' }, message: { text: 'a' } }],
  ['a visitor who is not known yet', { sender: { user_ref: 'REF' }, recipient: { id: 'PAGE' }, message: { text: 'a' } }],
])('of Messenger is not %s', (_what, item) => {
  expect(page(item)).toBeUndefined();
});

it.each<[string, object, Partial<Statement>]>([
  ['text', { type: 'text', text: { body: 'Hi' } }, { text: 'Hi', attachments: [] }],
  ['a template’s button', { type: 'button', button: { text: 'Yes', payload: 'y' } }, { text: 'Yes' }],
  [
    'a chosen button',
    { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: '1', title: 'Red' } } },
    { text: 'Red' },
  ],
  ['a chosen row', { type: 'interactive', interactive: { type: 'list_reply', list_reply: { id: '1', title: 'Row' } } }, { text: 'Row' }],
  ['an image with words', { type: 'image', image: { caption: 'Look', id: '1' } }, { text: 'Look', attachments: [{ type: 'image' }] }],
  [
    'a file with a link',
    { type: 'document', document: { url: 'https://m/1' } },
    { text: '', attachments: [{ type: 'document', url: 'https://m/1' }] },
  ],
  ['a place', { type: 'location', location: { latitude: 1 } }, { text: '', attachments: [{ type: 'location' }] }],
  ['contacts', { type: 'contacts', contacts: [{}] }, { text: '', attachments: [{ type: 'contacts' }] }],
])('of WhatsApp: %s', (_what, message, expected) => {
  expect(whatsapp(message)).toMatchObject({ ...ofWriter, ...expected });
});

it.each<[string, object]>([
  ['a reaction', { type: 'reaction', reaction: { emoji: '👍' } }],
  ['a note of the system', { type: 'system', system: { body: 'User changed number' } }],
  ['what WhatsApp could not pass on', { type: 'unsupported', errors: [{}] }],
  ['without a type', { text: { body: 'a' } }],
])('of WhatsApp is not %s', (_what, message) => {
  expect(whatsapp(message)).toBeUndefined();
});

it('of WhatsApp is to a number', () => {
  expect(whatsapp({ type: 'text', text: { body: 'a' } }, {})).toBeUndefined();
});
