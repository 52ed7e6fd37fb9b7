import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../core/errors';
import type { IncomingEvent } from '../../core/hook-event';
import { assertEnvelope } from './twitter.envelope';
import { parseTwitter } from './twitter.parser';

const folder = join(__dirname, '../../../test/fixtures/twitter/payloads');
const payload = (name: string): Buffer => readFileSync(join(folder, `x_${name}.json`));
const read = (body: Buffer | string | object): IncomingEvent[] =>
  parseTwitter(Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), 'application/json');
const contextOf = (event: IncomingEvent | undefined): unknown => JSON.parse(event?.context?.toString() ?? 'null');
const keysOf = (body: object): (string | undefined)[] => read(body).map((event) => event.dedupeKey);

/** What is asserted of each event of a payload. */
const summary = ({ eventType, identity, timestamp, dedupeKey }: IncomingEvent): (string | undefined)[] => [
  eventType,
  identity?.externalId,
  timestamp,
  dedupeKey?.replace(/:[\w-]{43}$/, ':#…'),
];

describe('the published payloads', () => {
  it.each<[string, (string | undefined)[][]]>([
    ['tweet_create_events', [['tweet_create', '4337869213', '2018-11-28T18:28:03.000Z', '4337869213:tweet_create:1067846812345671680']]],
    [
      'tweet_create_long_with_video',
      [['tweet_create', '4337869213', '2018-11-28T18:28:03.001Z', '4337869213:tweet_create:1067846812345671681']],
    ],
    [
      'tweet_delete_events',
      [['tweet_delete', '930524282358325248', '2015-05-21T17:09:15.593Z', '930524282358325248:tweet_delete:1045405559317569537']],
    ],
    ['favorite_events', [['favorite', '4337869213', '2018-03-26T16:33:26.140Z', '4337869213:favorite:a7ba59eab0bfcba386f7acedac279542']]],
    ['follow_events', [['follow', '4337869213', '2018-02-02T16:25:49.178Z', '4337869213:follow:3001969357:4337869213::1517588749178']]],
    [
      'unfollow_events',
      [['unfollow', '4337869213', '2018-02-02T16:25:49.999Z', '4337869213:unfollow:3001969357:4337869213::1517588749999']],
    ],
    [
      'unfollow_events_own_list',
      [['unfollow', '4337869213', '2018-02-02T16:25:49.999Z', '4337869213:unfollow:3001969357:4337869213::1517588749999']],
    ],
    ['block_events', [['block', '4337869213', '2018-02-08T21:57:00.304Z', '4337869213:block:3001969357:4337869213::1518127020304']]],
    ['unblock_events', [['unblock', '3001969357', '2018-02-08T21:57:00.404Z', '3001969357:unblock:3001969357:4337869213::1518127020404']]],
    [
      'mute_unmute_events',
      [
        ['mute', '3001969357', '2018-02-08T21:57:00.304Z', '3001969357:mute:3001969357:4337869213::1518127020304'],
        ['unmute', '3001969357', '2018-02-08T21:57:10.304Z', '3001969357:unmute:3001969357:4337869213::1518127030304'],
      ],
    ],
    [
      'direct_message_events',
      [['direct_message', '4337869213', '2018-01-19T23:12:40.557Z', '4337869213:direct_message:954491830116155396']],
    ],
    [
      'direct_message_own_with_photo',
      [['direct_message', '4337869213', '2018-01-19T23:12:41.557Z', '4337869213:direct_message:954491830116155397']],
    ],
    [
      'direct_message_indicate_typing_events',
      [
        [
          'direct_message_indicate_typing',
          '4337869213',
          '2018-02-08T21:59:43.443Z',
          '4337869213:direct_message_indicate_typing:3284025577:3001969357::1518127183443',
        ],
      ],
    ],
    [
      'direct_message_mark_read_events',
      [
        [
          'direct_message_mark_read',
          '4337869213',
          '2018-02-12T16:20:44.662Z',
          '4337869213:direct_message_mark_read:199566737:3001969357:963085315333238788:1518452444662',
        ],
      ],
    ],
    ['user_event', [['user_revoke', '63046977', '2018-05-24T09:48:12.000Z', ':user_revoke:#…']]],
  ])('%s', (name, expected) => {
    const events = read(payload(name));
    expect(() => assertEnvelope(payload(name))).not.toThrow();
    expect(events.map(summary)).toEqual(expected);
    for (const { application, identity } of events) expect([application, identity?.channel]).toEqual(['twitter', 'twitter']);
  });

  it('gives each item its own bytes, and the whole request where it held one', () => {
    const whole = payload('tweet_create_events');
    const [only] = read(whole);
    expect(only?.body.equals(whole)).toBe(true);
    // No digit of a number beyond 2^53 is lost.
    expect(only?.data.toString()).toContain('"id":1067846812345671680,');
    const [mute, unmute] = read(payload('mute_unmute_events'));
    expect(mute?.body).toBe(mute?.data);
    expect(JSON.parse(unmute?.data.toString() ?? '')).toMatchObject({ type: 'unmute', source: { id_str: '3001969357' } });
    const [revoke] = read(payload('user_event'));
    expect(JSON.parse(revoke?.data.toString() ?? '')).toEqual({
      date_time: '2018-05-24T09:48:12+00:00',
      target: { app_id: '13090192' },
      source: { user_id: '63046977' },
    });
  });

  it('has what stands around an item in its context, and no more', () => {
    const { users, apps } = JSON.parse(payload('direct_message_own_with_photo').toString());
    const [own] = read(payload('direct_message_own_with_photo'));
    // The third user has no part in it, and it names no app.
    expect(contextOf(own)).toEqual({
      forUserId: '4337869213',
      own: true,
      users: { 4337869213: users['4337869213'], 3001969357: users['3001969357'] },
    });
    const [other] = read(payload('direct_message_events'));
    expect(contextOf(other)).toMatchObject({ forUserId: '4337869213', apps });
    expect(contextOf(other)).not.toHaveProperty('own');
    expect(contextOf(read(payload('tweet_create_long_with_video'))[0])).toEqual({ forUserId: '4337869213', userHasBlocked: false });
    expect(contextOf(read(payload('user_event'))[0])).toEqual({});
  });

  it.each([
    ['unblock_events', true],
    ['block_events', false],
    ['tweet_delete_events', true],
    ['favorite_events', false],
  ])('%s: done by the subscribed user itself: %s', (name, own) => {
    expect(contextOf(read(payload(name))[0])).toHaveProperty('forUserId');
    expect((contextOf(read(payload(name))[0]) as { own?: boolean }).own ?? false).toBe(own);
  });
});

describe('what was said', () => {
  const said = (name: string) => read(payload(name))[0]?.statement?.();

  it('is a direct message', () => {
    expect(said('direct_message_events')).toEqual({
      threadId: 'twitter:3001969357-4337869213',
      author: '3001969357',
      isOwn: false,
      text: 'Hello World!',
      attachments: [],
    });
  });

  it('is in the same thread when the subscribed user says it', () => {
    expect(said('direct_message_own_with_photo')).toEqual({
      threadId: 'twitter:3001969357-4337869213',
      author: '4337869213',
      isOwn: true,
      text: 'A photo https://t.co/x',
      attachments: [{ type: 'photo', url: 'https://ton.twitter.com/1.1/ton/data/dm/954491830116155397/954491830116155398/x.jpg' }],
    });
  });

  it('sorts the two by number, not by text', () => {
    const message = (from: string, to: string): object => ({
      for_user_id: from,
      direct_message_events: [{ id: '1', message_create: { target: { recipient_id: to }, sender_id: from, message_data: { text: 'x' } } }],
    });
    expect(read(message('1234567890123456789', '99'))[0]?.statement?.()?.threadId).toBe('twitter:99-1234567890123456789');
    expect(read(message('not digits', '99'))[0]?.statement?.()).toBeUndefined();
  });

  it('is a tweet that mentions, or answers with all of its text', () => {
    expect(said('tweet_create_events')).toEqual({
      threadId: 'twitter:tweet:1067846812345671680',
      author: '3001969357',
      isOwn: false,
      text: '@Harris_0ff hello from the sample',
      attachments: [],
    });
    const long = said('tweet_create_long_with_video');
    expect(long).toMatchObject({
      threadId: 'twitter:tweet:1067846812345671680',
      attachments: [{ type: 'video', url: 'https://pbs.twimg.com/media/x.jpg' }],
    });
    expect(long?.text).toMatch(/^@Harris_0ff (long ){60}end$/);
  });

  const tweet = (fields: object): object => ({
    for_user_id: '1',
    tweet_create_events: [{ id_str: '50', user: { id_str: '2' }, text: 'x', ...fields }],
  });
  const mention = { entities: { user_mentions: [{ id_str: '1' }] } };

  it.each<[string, object, string | undefined]>([
    ['a mention', mention, 'twitter:tweet:50'],
    ['a mention of somebody else', { entities: { user_mentions: [{ id_str: '3' }] } }, undefined],
    ['a mention in a retweet', { ...mention, retweeted_status: { id_str: '49' } }, undefined],
    ['an answer', { in_reply_to_status_id_str: '40' }, 'twitter:tweet:40'],
    ['an answer in a known conversation', { in_reply_to_status_id_str: '40', conversation_id_str: '30' }, 'twitter:tweet:30'],
    ['an answer of the user itself', { in_reply_to_status_id_str: '40', user: { id_str: '1' } }, 'twitter:tweet:40'],
    ['a tweet of its own', { in_reply_to_status_id: null, in_reply_to_user_id_str: null, user: { id_str: '1' } }, undefined],
  ])('%s', (_, fields, threadId) => {
    expect(read(tweet(fields))[0]?.statement?.()?.threadId).toBe(threadId);
  });

  it.each(['favorite_events', 'follow_events', 'tweet_delete_events', 'direct_message_mark_read_events', 'user_event'])(
    'is nothing in %s',
    (name) => {
      expect(said(name)).toBeUndefined();
    },
  );
});

describe('duplicates', () => {
  const follow = { type: 'follow', created_timestamp: '1', target: { id_str: '2' }, source: { id_str: '3' } };

  it('are known by user, kind and id; another user of the conversation is another event', () => {
    const message = { id: '7', message_create: { sender_id: '1' } };
    const [one] = keysOf({ for_user_id: '1', direct_message_events: [message] });
    expect(keysOf({ for_user_id: '1', direct_message_events: [{ ...message, more: 1 }] })).toEqual([one]);
    expect(keysOf({ for_user_id: '2', direct_message_events: [message] })).not.toEqual([one]);
  });

  it('without an id are known by who, whom and when', () => {
    const [one] = keysOf({ for_user_id: '2', follow_events: [follow] });
    expect(keysOf({ for_user_id: '2', follow_events: [{ ...follow, source: { id_str: '3', followers_count: 9 } }] })).toEqual([one]);
    for (const other of [{ created_timestamp: '2' }, { type: 'unfollow' }, { source: { id_str: '4' } }, { target: { id_str: '4' } }]) {
      expect(keysOf({ for_user_id: '2', follow_events: [{ ...follow, ...other }] })).not.toEqual([one]);
    }
  });

  it('without a time cannot be told', () => {
    expect(keysOf({ for_user_id: '2', follow_events: [{ type: 'follow' }] })).toEqual([undefined]);
  });

  it('never run into one another', () => {
    const key = (id: string): string | undefined => keysOf({ for_user_id: '2', favorite_events: [{ id }] })[0];
    expect(key('a:b')).toMatch(/^#.{43}$/);
    expect(key('x'.repeat(500))).toMatch(/^#.{43}$/);
    expect(key('a:b')).not.toBe(key('a;b'));
  });
});

describe('what nobody documented', () => {
  it('is an event by the name of its list', () => {
    const events = read('{"for_user_id":5,"poll_vote_events":[1,{"id":2}],"tweet_create_events":[],"users":{}}');
    expect(events.map(({ eventType, identity, data }) => [eventType, identity?.externalId, data.toString()])).toEqual([
      ['poll_vote', '5', '1'],
      ['poll_vote', '5', '{"id":2}'],
    ]);
    expect(contextOf(events[0])).toEqual({ forUserId: '5' });
  });

  it('is an event by the name of what befell the user', () => {
    expect(
      read('{"user_event":{"suspend":{"source":{"user_id":"8"}}}}').map((event) => [event.eventType, event.identity?.externalId]),
    ).toEqual([['user_suspend', '8']]);
  });

  it('copies no more of the maps than is borne', () => {
    const item = { id: '1', sender_id: 'u' };
    const users = { u: { about: 'x'.repeat(400_000) } };
    const contexts = read({ for_user_id: '1', direct_message_events: [item, item, item], users }).map(contextOf);
    expect(contexts.map((context) => 'users' in (context as object))).toEqual([true, true, false]);
  });

  it.each([
    ['{"for_user_id":"1"}', 'malformed_request'],
    ['{"_events":[]}', 'malformed_request'],
    ['{"tweet_create_events":{}}', 'malformed_request'],
    ['{"user_event":[]}', 'malformed_request'],
    ['[{"tweet_create_events":[]}]', 'malformed_request'],
    ['1234', 'malformed_request'],
    ['', 'malformed_json'],
    [`{"a_events":${'['.repeat(64)}${']'.repeat(64)}}`, 'json_too_deep'],
  ])('%s is refused: %s', (body, code) => {
    expect(() => assertEnvelope(Buffer.from(body))).toThrow(expect.objectContaining({ code }));
    if (code !== 'malformed_request') expect(() => read(body)).toThrow(GatewayError);
  });
});
