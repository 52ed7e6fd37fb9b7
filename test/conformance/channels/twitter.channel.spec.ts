import { createHmac } from 'node:crypto';
import { type Door, type Payload } from './channel-descriptor';
import { channelSuite } from './channel-suite';

const SECRET = 'the-consumer-secret-of-the-tests';
const SETTING = 'HOOK_SERVER_TWITTER_CONSUMER_SECRET';

const door: Door = {
  path: '/twitter',
  contentType: 'application/json',
  answer: { status: 200, body: '' },
  malformed: {
    'JSON that is no envelope': '[{"tweet_create_events":[]}]',
    'an envelope without events': '{"for_user_id":"1","users":{}}',
    'a text that a check would sign': '1234',
  },
};

/** One event of a user's. */
const one = (eventType: string, identity: string, timestamp: string): Payload => ({
  events: [{ type: `twitter.${eventType}`, identity, timestamp }],
});

channelSuite({
  name: 'twitter',
  doors: [door],
  settings: () => ({ HOOK_SERVER_TWITTER_ENABLED: 'true', [SETTING]: `an-older-secret,${SECRET}` }),
  secrets: [SETTING],
  signatureHeader: 'x-twitter-webhooks-signature',
  sign: (request) => {
    const signature = `sha256=${createHmac('sha256', SECRET).update(request.body).digest('base64')}`;
    return { ...request, headers: { ...request.headers, 'x-twitter-webhooks-signature': signature } };
  },
  vectors: {
    'x-twitter-webhooks-signature': { settings: ({ secret }) => ({ [SETTING]: `an-older-secret,${secret}` }) },
    'x-crc': { settings: ({ secret }) => ({ [SETTING]: secret }) },
  },
  handshake: 'x-crc',
  payloads: {
    'x_tweet_create_events.json': one('tweet_create', '4337869213', '2018-11-28T18:28:03.000Z'),
    'x_tweet_create_long_with_video.json': one('tweet_create', '4337869213', '2018-11-28T18:28:03.001Z'),
    'x_tweet_delete_events.json': one('tweet_delete', '930524282358325248', '2015-05-21T17:09:15.593Z'),
    'x_favorite_events.json': one('favorite', '4337869213', '2018-03-26T16:33:26.140Z'),
    'x_follow_events.json': one('follow', '4337869213', '2018-02-02T16:25:49.178Z'),
    'x_unfollow_events.json': one('unfollow', '4337869213', '2018-02-02T16:25:49.999Z'),
    'x_unfollow_events_own_list.json': one('unfollow', '4337869213', '2018-02-02T16:25:49.999Z'),
    'x_block_events.json': one('block', '4337869213', '2018-02-08T21:57:00.304Z'),
    'x_unblock_events.json': one('unblock', '3001969357', '2018-02-08T21:57:00.404Z'),
    'x_mute_unmute_events.json': {
      events: [
        { type: 'twitter.mute', identity: '3001969357', timestamp: '2018-02-08T21:57:00.304Z' },
        { type: 'twitter.unmute', identity: '3001969357', timestamp: '2018-02-08T21:57:10.304Z' },
      ],
    },
    'x_direct_message_events.json': one('direct_message', '4337869213', '2018-01-19T23:12:40.557Z'),
    'x_direct_message_own_with_photo.json': one('direct_message', '4337869213', '2018-01-19T23:12:41.557Z'),
    'x_direct_message_indicate_typing_events.json': one('direct_message_indicate_typing', '4337869213', '2018-02-08T21:59:43.443Z'),
    'x_direct_message_mark_read_events.json': one('direct_message_mark_read', '4337869213', '2018-02-12T16:20:44.662Z'),
    'x_user_event.json': one('user_revoke', '63046977', '2018-05-24T09:48:12.000Z'),
  },
  refusals: [
    {
      what: 'a check with an object as its token',
      request: {
        method: 'GET',
        path: `/twitter?crc_token=${encodeURIComponent('{"user_event":{"revoke":{}}}')}`,
        headers: {},
        body: Buffer.alloc(0),
      },
      status: 400,
      code: 'malformed_request',
    },
    {
      what: 'a check with two tokens',
      request: { method: 'GET', path: '/twitter?crc_token=a&crc_token=b', headers: {}, body: Buffer.alloc(0) },
      status: 400,
      code: 'malformed_request',
    },
  ],
});
