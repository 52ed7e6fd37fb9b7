import { createHmac } from 'node:crypto';
import type { Door } from './channel-descriptor';
import { channelSuite } from './channel-suite';

const SECRET = 'the-app-secret-of-the-tests';

const door: Door = {
  path: '/facebook',
  contentType: 'application/json',
  answer: { status: 200, contentType: /^text\/plain/, body: 'EVENT_RECEIVED' },
  malformed: { 'JSON that is no envelope': '[{"entry":[]}]', 'an envelope without entry': '{"object":"page"}' },
};

channelSuite({
  name: 'facebook',
  doors: [door],
  settings: () => ({ HOOK_SERVER_FACEBOOK_APP_SECRET: `an-older-secret,${SECRET}`, HOOK_SERVER_FACEBOOK_VERIFY_TOKEN: 'token' }),
  secrets: ['HOOK_SERVER_FACEBOOK_APP_SECRET', 'HOOK_SERVER_FACEBOOK_VERIFY_TOKEN'],
  signatureHeader: 'x-hub-signature-256',
  sign: (request) => {
    const signature = `sha256=${createHmac('sha256', SECRET).update(request.body).digest('hex')}`;
    return { ...request, headers: { ...request.headers, 'x-hub-signature-256': signature } };
  },
  vectors: {
    'meta-x-hub-signature-256': { settings: ({ secret }) => ({ HOOK_SERVER_FACEBOOK_APP_SECRET: `an-older-secret,${secret}` }) },
    'meta-verify-handshake': { settings: ({ secret }) => ({ HOOK_SERVER_FACEBOOK_VERIFY_TOKEN: secret }) },
  },
  handshake: 'meta-verify-handshake',
  payloads: {
    'meta_page_message_single.json': { events: [{ type: 'facebook.message', identity: '111111', timestamp: '2016-03-12T06:29:57.627Z' }] },
    'meta_page_message_escaped.json': { events: [{ type: 'facebook.message', identity: '111111', timestamp: '2016-03-12T06:29:57.627Z' }] },
    'meta_page_message_decoded_utf8.json': {
      events: [{ type: 'facebook.message', identity: '111111', timestamp: '2016-03-12T06:29:57.627Z' }],
    },
    'meta_page_batch.json': {
      events: [
        { type: 'facebook.message', identity: '111111', timestamp: '2016-03-23T00:25:52.001Z' },
        { type: 'facebook.message', identity: '111111', timestamp: '2016-03-23T00:25:52.300Z' },
        { type: 'facebook.postback', identity: '111111', timestamp: '2016-03-23T00:25:52.400Z' },
        { type: 'facebook.delivery', identity: '222222', timestamp: '2016-03-23T00:25:52.410Z' },
        { type: 'facebook.read', identity: '222222', timestamp: '2016-03-23T00:25:52.420Z' },
        { type: 'facebook.echo', identity: '222222', timestamp: '2016-03-23T00:25:52.430Z' },
        { type: 'facebook.message', identity: '222222', timestamp: '2016-03-23T00:25:52.440Z' },
        { type: 'facebook.reaction', identity: '222222', timestamp: '2016-03-23T00:25:52.450Z' },
      ],
    },
    'meta_page_feed_changes.json': { events: [{ type: 'facebook.feed', identity: '111111', timestamp: '2018-03-08T21:33:36.000Z' }] },
    'meta_user_photos_changes.json': {
      events: [{ type: 'facebook.photos', identity: '10210299214172187', timestamp: '2018-03-07T00:46:11.000Z' }],
    },
    'meta_instagram_message.json': {
      events: [{ type: 'instagram.message', identity: '17841400000000001', timestamp: '2019-09-23T18:14:45.349Z' }],
    },
    'meta_whatsapp_message.json': {
      events: [{ type: 'whatsapp.message', identity: '106540352242922', timestamp: '2025-06-08T20:59:43.000Z' }],
    },
    'meta_whatsapp_status_batch.json': {
      events: [
        { type: 'whatsapp.status', identity: '106540352242922', timestamp: '2025-06-25T13:16:24.000Z' },
        { type: 'whatsapp.status', identity: '106540352242922', timestamp: '2025-06-25T13:16:25.000Z' },
        { type: 'whatsapp.status', identity: '106540352242922', timestamp: '2025-06-25T13:16:39.000Z' },
      ],
    },
  },
});
