import { createHmac } from 'node:crypto';
import { channelSuite } from './channel-suite';

const SECRET = 'the-webhook-secret-of-the-tests';
const CREATOR = 'Y2lzY29zcGFyazovL3VzL1BFT1BMRS9mNWIzNjE4Ny1jOGRkLTQ3MjctOGIyZi1mOWM0NDdmMjkwNDY';

channelSuite({
  name: 'webex',
  doors: [
    {
      path: '/webex',
      contentType: 'application/json',
      answer: { status: 200, body: '' },
      malformed: {
        'JSON that is no object': '["messages","created"]',
        'an object without event': '{"resource":"messages","data":{"id":"1"}}',
        'an event that is no text': '{"resource":"messages","event":1}',
      },
    },
  ],
  settings: () => ({ HOOK_SERVER_WEBEX_SECRET: `an-older-secret,${SECRET}` }),
  secrets: ['HOOK_SERVER_WEBEX_SECRET'],
  signatureHeader: 'x-spark-signature',
  sign: (request) => {
    const signature = createHmac('sha1', SECRET).update(request.body).digest('hex');
    return { ...request, headers: { ...request.headers, 'x-spark-signature': signature } };
  },
  vectors: { 'webex-x-spark-signature': { settings: ({ secret }) => ({ HOOK_SERVER_WEBEX_SECRET: `an-older-secret,${secret}` }) } },
  payloads: {
    'webex_messages_created.json': {
      events: [{ type: 'webex.messages.created', identity: CREATOR, timestamp: '2015-10-18T14:26:16.000Z' }],
    },
    'webex_memberships_created.json': {
      events: [{ type: 'webex.memberships.created', identity: CREATOR, timestamp: '2015-10-18T14:26:16.203Z' }],
    },
  },
});
