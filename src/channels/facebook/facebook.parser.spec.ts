import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../core/errors';
import { parseFacebook } from './facebook.parser';
import { page, readFacebook as read, summary, whatsapp } from '../../../test/support/facebook-requests';

const folder = join(__dirname, '../../../test/fixtures/facebook/payloads');
const payload = (name: string): Buffer => readFileSync(join(folder, `meta_${name}.json`));

const WAMID = 'wamid.HBgNNTUxNjk5MjMxODIyMhUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA=';

describe('the published payloads', () => {
  it.each<[string, (string | undefined)[][]]>([
    [
      'page_message_single',
      [['facebook', 'message', '111111', '2016-03-12T06:29:57.627Z', 'message:mid.1457764197618:41d102a3e1ae206a38']],
    ],
    ['page_message_escaped', [['facebook', 'message', '111111', '2016-03-12T06:29:57.627Z', 'message:mid.escaped.0001']]],
    ['page_message_decoded_utf8', [['facebook', 'message', '111111', '2016-03-12T06:29:57.627Z', 'message:mid.escaped.0001']]],
    [
      'page_batch',
      [
        ['facebook', 'message', '111111', '2016-03-23T00:25:52.001Z', 'message:m_AG5Hz2Uq7tuwNEhXfYYKj8mJEM'],
        ['facebook', 'message', '111111', '2016-03-23T00:25:52.300Z', 'message:m_AG5Hz2Uq7tuwNEhXfYYKj8mJEN'],
        ['facebook', 'postback', '111111', '2016-03-23T00:25:52.400Z', 'postback:m_postback_0001'],
        ['facebook', 'delivery', '222222', '2016-03-23T00:25:52.410Z', 'delivery#…'],
        ['facebook', 'read', '222222', '2016-03-23T00:25:52.420Z', 'read#…'],
        ['facebook', 'echo', '222222', '2016-03-23T00:25:52.430Z', 'echo:m_echo_0001'],
        ['facebook', 'message', '222222', '2016-03-23T00:25:52.440Z', 'message:m_image_0001'],
        ['facebook', 'reaction', '222222', '2016-03-23T00:25:52.450Z', 'reaction#…'],
        ['facebook', 'message', '111111', '2016-03-23T00:25:52.001Z', 'message:m_AG5Hz2Uq7tuwNEhXfYYKj8mJEM'],
      ],
    ],
    ['page_feed_changes', [['facebook', 'feed', '111111', '2018-03-08T21:33:36.000Z', 'change#…']]],
    ['user_photos_changes', [['facebook', 'photos', '10210299214172187', '2018-03-07T00:46:11.000Z', 'change#…']]],
    [
      'instagram_message',
      [['instagram', 'message', '17841400000000001', '2019-09-23T18:14:45.349Z', 'message:aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQx']],
    ],
    [
      'whatsapp_message',
      [
        [
          'whatsapp',
          'message',
          '106540352242922',
          '2025-06-08T20:59:43.000Z',
          'wa:wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=',
        ],
      ],
    ],
    [
      'whatsapp_status_batch',
      [
        ['whatsapp', 'status', '106540352242922', '2025-06-25T13:16:24.000Z', `wa-status:${WAMID}:sent:16505551234`],
        ['whatsapp', 'status', '106540352242922', '2025-06-25T13:16:25.000Z', `wa-status:${WAMID}:delivered:16505551234`],
        ['whatsapp', 'status', '106540352242922', '2025-06-25T13:16:39.000Z', `wa-status:${WAMID}:read:16505551234`],
      ],
    ],
  ])('%s', (name, expected) => {
    expect(read(payload(name)).map(summary)).toEqual(expected);
  });

  it.each(readdirSync(folder))('%s: data are what JSON.parse finds, in bytes of the request', (name) => {
    const body = readFileSync(join(folder, name));
    const parsed = JSON.parse(body.toString()) as { entry: { messaging?: unknown[]; changes?: { value: WhatsappLike }[] }[] };
    const expected = parsed.entry.flatMap(({ messaging = [], changes = [] }) => [
      ...messaging,
      ...changes.flatMap((change) => whatsappData(change.value) ?? [change]),
    ]);
    const events = read(body);
    expect(events.map(({ data }) => JSON.parse(data.toString()) as unknown)).toEqual(expected);
    for (const { data, application } of events) if (application !== 'whatsapp') expect(body.includes(data)).toBe(true);
  });
});

interface WhatsappLike {
  metadata?: unknown;
  contacts?: unknown;
  messages?: unknown[];
  statuses?: unknown[];
}

function whatsappData({ metadata, contacts, messages = [], statuses = [] }: WhatsappLike): unknown[] | undefined {
  if (metadata === undefined) return undefined;
  const common = { metadata, ...(contacts !== undefined && { contacts }) };
  return [...messages.map((message) => ({ ...common, message })), ...statuses.map((status) => ({ ...common, status }))];
}

describe('bytes', () => {
  it('are kept as sent: escapes, digits, spaces, what is not UTF-8', () => {
    const item = ' "timestamp": 1457764197627, "message" :{"mid":"m","text":"\\u00e4 \\/ ä", "n":12345678901234567890.10 }';
    const text = `{ "entry" : [ {"time" : 1457764198246 ,"id":  "1" ,"messaging":[ {${item}} , 7 ] } ],"object":"page" }`;
    const body = Buffer.from(text);
    const [first, second] = read(body);
    expect(first?.data.toString()).toBe(`{${item}}`);
    expect(first?.data.buffer).toBe(body.buffer);
    expect(first?.context?.toString()).toBe('{"object":"page","entryId":"1","entryTime":1457764198246}');
    expect(second).toMatchObject({ eventType: 'messaging', timestamp: '2016-03-12T06:29:58.246Z' });
    const raw = Buffer.concat([Buffer.from('{"entry":[{"messaging":["'), Buffer.from([0xff, 0x80]), Buffer.from('"]}]}')]);
    expect(read(raw)[0]?.data).toEqual(Buffer.from([0x22, 0xff, 0x80, 0x22]));
  });

  it('differ between the escaped and the decoded form of one value', () => {
    const [escaped] = read(payload('page_message_escaped'));
    const [decoded] = read(payload('page_message_decoded_utf8'));
    expect(JSON.parse(escaped!.data.toString())).toEqual(JSON.parse(decoded!.data.toString()));
    expect(escaped!.data.equals(decoded!.data)).toBe(false);
    expect(escaped!.dedupeKey).toBe(decoded!.dedupeKey);
  });

  it('of the whole request are the body when it held one event, else the item is', () => {
    const single = payload('page_message_single');
    const [event] = parseFacebook(single, 'application/json; charset=UTF-8');
    expect(event!.body).toBe(single);
    expect(event!.contentType).toBe('application/json; charset=UTF-8');
    for (const one of parseFacebook(payload('page_batch'), 'application/json; charset=UTF-8')) {
      expect(one.body).toBe(one.data);
      expect(one.contentType).toBe('application/json');
    }
  });

  it('of metadata and contacts stand around each WhatsApp element', () => {
    const text =
      '{"object":"whatsapp_business_account","entry":[{"id":"W","changes":[{"field":"messages","value":{"contacts":[ {"wa_id":"1"} ],' +
      '"metadata":{ "phone_number_id":"9" },"statuses":[{"id":"s","status":"read"}],"messages":[{"id":"m","n":1.0}, {"id":"o"}]}}]}]}';
    expect(read(text).map(({ data }) => data.toString())).toEqual([
      '{"metadata":{ "phone_number_id":"9" },"contacts":[ {"wa_id":"1"} ],"message":{"id":"m","n":1.0}}',
      '{"metadata":{ "phone_number_id":"9" },"contacts":[ {"wa_id":"1"} ],"message":{"id":"o"}}',
      '{"metadata":{ "phone_number_id":"9" },"contacts":[ {"wa_id":"1"} ],"status":{"id":"s","status":"read"}}',
    ]);
    expect(read(text)[0]?.context?.toString()).toBe('{"object":"whatsapp_business_account","entryId":"W"}');
  });
});

describe('the event type', () => {
  it.each([
    [{ message: { mid: 'a' } }, 'message'],
    [{ message: { mid: 'a', is_echo: true } }, 'echo'],
    [{ message: { mid: 'a', is_echo: false } }, 'message'],
    [{ message: { mid: 'a' }, referral: {} }, 'message'],
    [{ postback: { payload: 'p', referral: {} } }, 'postback'],
    [{ delivery: { watermark: 1 } }, 'delivery'],
    [{ read: { watermark: 1 } }, 'read'],
    [{ reaction: { mid: 'a' } }, 'reaction'],
    [{ optin: { ref: 'r' } }, 'optin'],
    [{ referral: { ref: 'r' } }, 'referral'],
    [{ account_linking: { status: 'linked' } }, 'account_linking'],
    [{ pass_thread_control: {} }, 'pass_thread_control'],
    [{ hop_context: [], something_new: {} }, 'something_new'],
    [{}, 'messaging'],
    [{ 'a\u0000b': 1 }, 'a\ufffdb'],
    [{ ['x'.repeat(200)]: 1 }, 'x'.repeat(128)],
  ])('of %j is %s', (keys, eventType) => {
    const [event] = read(page({ sender: { id: '1' }, recipient: { id: '111' }, timestamp: 1, ...keys }));
    expect(event?.eventType).toBe(eventType);
  });

  it('may be __proto__, harmlessly', () => {
    const text = '{"__proto__":{"admin":1},"entry":[{"__proto__":{"id":"2"},"id":"1","messaging":[{"__proto__":{"admin":1}}]}]}';
    expect(read(text).map(summary)).toEqual([['facebook', '__proto__', '1', undefined, undefined]]);
    expect(({} as { admin?: number }).admin).toBeUndefined();
  });

  it('is standby for all that another app answers', () => {
    const standby = [{ message: { mid: 'a' } }, { postback: { mid: 'a' } }, { read: { watermark: 1 } }];
    const events = read({ object: 'page', entry: [{ id: '1', time: 5, messaging: [{ message: { mid: 'a' } }], standby }] });
    expect(events.map(({ eventType }) => eventType)).toEqual(['message', 'standby', 'standby', 'standby']);
    expect(new Set(events.map(({ dedupeKey }) => dedupeKey)).size).toBe(4);
  });

  it.each([
    [{ field: 'feed', value: {} }, 'feed'],
    [{ value: {} }, 'change'],
    ['photos', 'photos'],
  ])('of the change %j is %s', (change, eventType) => {
    expect(read({ object: 'user', entry: [{ id: '1', time: 5, changes: [change] }] })[0]?.eventType).toBe(eventType);
  });

  it('is the name alone where Meta sends no values', () => {
    const [event, ...others] = read({ object: 'user', entry: [{ id: '1', time: 5, changed_fields: ['photos'] }] });
    expect([event?.eventType, event?.data.toString(), others.length]).toEqual(['photos', '"photos"', 0]);
  });
});

describe('WhatsApp values without messages and statuses', () => {
  it('are one event of the field, errors among them', () => {
    const value = { metadata: { phone_number_id: '9' }, errors: [{ code: 130_429 }] };
    expect(read(whatsapp(value)).map(summary)).toEqual([['whatsapp', 'messages', '9', '2025-06-08T21:00:00.000Z', 'change#…']]);
    expect(JSON.parse(read(whatsapp(value))[0]!.data.toString())).toEqual({ value, field: 'messages' });
    expect(read(whatsapp({ event: 'VERIFIED_ACCOUNT' }, 'account_update')).map(summary)).toEqual([
      ['whatsapp', 'account_update', 'WABA', '2025-06-08T21:00:00.000Z', 'change#…'],
    ]);
  });

  it('lose no errors that stand beside messages', () => {
    const events = read(whatsapp({ metadata: {}, messages: [{ id: 'a' }], errors: [{ code: 1 }] }));
    expect(events.map(({ eventType }) => eventType)).toEqual(['message', 'messages']);
  });
});

describe('the envelope', () => {
  it.each(['{"object":"page","entry":[]}', '{"entry":[{}]}', '{"entry":[1,null,"x",[]]}', '{"entry":[{"messaging":{},"changes":null}]}'])(
    '%s holds no events',
    (body) => expect(read(body)).toEqual([]),
  );

  it.each([
    ['[]', 'malformed_request'],
    ['{}', 'malformed_request'],
    ['"entry"', 'malformed_request'],
    ['{"entry":{}}', 'malformed_request'],
    ['{"entry":[', 'malformed_json'],
    ['', 'malformed_json'],
    [`{"entry":${'['.repeat(64)}${']'.repeat(64)}}`, 'json_too_deep'],
  ])('%s is refused as %s', (body, code) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ code }) as GatewayError);
  });

  it('keeps the digits of an id that is a number', () => {
    const [event] = read('{"entry":[{"id":12345678901234567890,"messaging":[{}]}]}');
    expect(event?.identity).toEqual({ channel: 'facebook', externalId: '12345678901234567890' });
    expect(event?.context?.toString()).toBe('{"entryId":12345678901234567890}');
  });
});

describe('a large request', () => {
  it('of 1,000 WhatsApp messages with a contact each grows with their number, not with its square', () => {
    const contacts = Array.from({ length: 1_000 }, (_, index) => ({ wa_id: String(index), profile: { name: 'n'.repeat(200) } }));
    const messages = contacts.map(({ wa_id }) => ({ id: `w${wa_id}`, from: wa_id, timestamp: '1749416383' }));
    const body = Buffer.from(JSON.stringify(whatsapp({ metadata: { phone_number_id: '9' }, contacts, messages })));
    const events = read(body);
    expect(events).toHaveLength(1_000);
    expect(events.reduce((bytes, { data }) => bytes + data.length, 0)).toBeLessThan(2 * body.length);
    expect(JSON.parse(events[7]!.data.toString())).toEqual({
      metadata: { phone_number_id: '9' },
      contacts: [contacts[7]],
      message: messages[7],
    });
  });

  it('of 1,000 items shares one context and one buffer', () => {
    const body = Buffer.from(JSON.stringify(page(...Array.from({ length: 1_000 }, (_, index) => ({ message: { mid: `m${index}` } })))));
    const events = read(body);
    expect(events).toHaveLength(1_000);
    expect(new Set(events.map(({ context }) => context)).size).toBe(1);
    expect(events.every(({ data }) => data.buffer === body.buffer)).toBe(true);
  });
});
