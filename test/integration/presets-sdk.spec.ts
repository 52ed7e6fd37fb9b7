import { createHmac } from 'node:crypto';
import { sign as signGithub, verify as verifyGithub } from '@octokit/webhooks-methods';
import { ApiVersion, shopifyApi } from '@shopify/shopify-api';
import { isValidSlackRequest } from '@slack/bolt';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import { validateRequest } from 'twilio/lib/webhooks/webhooks';
import { altered, codeOf, signedRequest, verifierOf } from '../support/signed-request';
import { AUTH_TOKEN, PUBLIC_URL, signForm } from '../support/twilio-sender';

// Its types are sources beside it, which do not compile by themselves.
jest.requireActual('@shopify/shopify-api/adapters/node');

const BODY = '{"id":"evt_1","text":"Grüße \\ud83d\\ude00"}';
const KEY = 'a secret of thirty-two characters';
const WHSEC = `whsec_${Buffer.from(KEY).toString('base64')}`;

type Headers = Record<string, string>;

interface Sdk {
  name: string;
  /** Of sources that take what it signs. */
  verifications: object[];
  sign(body: string, now: Date): Promise<Headers> | Headers;
  /** What it signs instead of JSON. */
  form?: string;
  /** Whether the official library takes it for signed. */
  verify(body: string, headers: Headers): Promise<boolean> | boolean;
}

const passes = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

const seconds = (now: Date): number => Math.floor(now.getTime() / 1_000);

const stripe = new Stripe('sk_test_1');
const shopify = shopifyApi({
  apiKey: 'key',
  apiSecretKey: KEY,
  apiVersion: ApiVersion.July25,
  hostName: 'gw.example.com',
  isEmbeddedApp: false,
  logger: { log: () => Promise.resolve() },
});

const standard = (name: string, prefix: string, webhook: Webhook | SvixWebhook): Sdk => ({
  name,
  verifications: [
    { type: 'standard-webhooks', secret: WHSEC },
    { type: 'svix', secret: WHSEC },
    {
      ...{ type: 'hmac', secret: WHSEC, keyForm: 'base64', encoding: 'base64', prefix: 'v1,', separator: ' ' },
      ...{ header: `${prefix}-signature`, idHeader: `${prefix}-id`, timestampHeader: `${prefix}-timestamp` },
      template: '{id}.{timestamp}.{body}',
    },
  ],
  sign: (body, now) => ({
    [`${prefix}-id`]: 'msg_1',
    [`${prefix}-timestamp`]: String(seconds(now)),
    [`${prefix}-signature`]: webhook.sign('msg_1', now, body),
  }),
  verify: (body, headers) => passes(() => webhook.verify(body, headers)),
});

const SDKS: Sdk[] = [
  standard('standardwebhooks', 'webhook', new Webhook(WHSEC)),
  standard('svix', 'svix', new SvixWebhook(WHSEC)),
  {
    name: '@octokit/webhooks-methods',
    verifications: [
      { type: 'github', secret: KEY },
      { type: 'hmac', secret: KEY, header: 'X-Hub-Signature-256', prefix: 'sha256=' },
    ],
    sign: async (body) => ({ 'x-hub-signature-256': await signGithub(KEY, body) }),
    verify: (body, headers) => verifyGithub(KEY, body, headers['x-hub-signature-256']!),
  },
  {
    name: 'stripe',
    verifications: [
      { type: 'stripe', secret: WHSEC },
      {
        ...{ type: 'hmac', secret: WHSEC, header: 'Stripe-Signature', prefix: 'v1=', separator: ',' },
        ...{ template: '{timestamp}.{body}', timestampPart: 't' },
      },
    ],
    sign: (payload, now) => ({
      'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload, secret: WHSEC, timestamp: seconds(now) }),
    }),
    verify: (body, headers) => passes(() => stripe.webhooks.constructEvent(body, headers['stripe-signature']!, WHSEC)),
  },
  {
    // Its own library only verifies.
    name: '@slack/bolt',
    verifications: [
      { type: 'slack', secret: KEY },
      {
        ...{ type: 'hmac', secret: KEY, header: 'X-Slack-Signature', prefix: 'v0=' },
        ...{ template: 'v0:{timestamp}:{body}', timestampHeader: 'X-Slack-Request-Timestamp' },
      },
    ],
    sign: (body, now) => ({
      'x-slack-request-timestamp': String(seconds(now)),
      'x-slack-signature': `v0=${createHmac('sha256', KEY)
        .update(`v0:${String(seconds(now))}:${body}`)
        .digest('hex')}`,
    }),
    verify: (body, headers) =>
      isValidSlackRequest({
        signingSecret: KEY,
        body,
        headers: {
          'x-slack-signature': headers['x-slack-signature']!,
          'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
        },
      }),
  },
  {
    // Its own library only verifies.
    name: '@shopify/shopify-api',
    verifications: [
      { type: 'shopify', secret: KEY },
      { type: 'hmac', secret: KEY, header: 'X-Shopify-Hmac-Sha256', encoding: 'base64' },
    ],
    sign: (body) => ({ 'x-shopify-hmac-sha256': createHmac('sha256', KEY).update(body).digest('base64') }),
    verify: async (body, headers) => {
      const context = { 'x-shopify-topic': 'a/b', 'x-shopify-shop-domain': 'a.myshopify.com', 'x-shopify-api-version': '2025-07' };
      const rawRequest = { method: 'POST', url: '/', headers: { ...context, 'x-shopify-webhook-id': '1', ...headers } };
      return (await shopify.webhooks.validate({ rawBody: body, rawRequest, rawResponse: {} })).valid;
    },
  },
  {
    name: 'twilio',
    verifications: [{ type: 'twilio', secret: AUTH_TOKEN }],
    form: 'CallSid=CA1&From=%2B1415&Body=Gr%C3%BC%C3%9Fe',
    sign: (body) => ({ 'x-twilio-signature': signForm('/in/token', body).headers['x-twilio-signature']! }),
    verify: (body, headers) => {
      const parameters = Object.fromEntries(new URLSearchParams(body));
      return validateRequest(AUTH_TOKEN, headers['x-twilio-signature']!, `${PUBLIC_URL}/in/token`, parameters);
    },
  },
];

describe.each(SDKS)('$name', (sdk) => {
  it.each(sdk.verifications)('signs what %j accepts; a byte that was altered is refused by both', async (verification) => {
    const now = new Date();
    const whole = sdk.form ?? BODY;
    const type = { 'content-type': sdk.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded' };
    const headers = await sdk.sign(whole, now);
    const verifier = verifierOf(verification);
    const check = async (body: string, sent: Headers): Promise<[ours: boolean, theirs: boolean]> => {
      const code = codeOf(() => verifier.assertValid(signedRequest({ body, headers: { ...type, ...sent } }), now.getTime()));
      return [code === 'accepted', await sdk.verify(body, sent)];
    };
    expect(await check(whole, headers)).toEqual([true, true]);
    expect(await check(altered(whole, 9), headers)).toEqual([false, false]);
    for (const [name, value] of Object.entries(headers)) {
      // In the middle of a list stands the signature, at its end a digest's last character.
      for (const at of [value.length >> 1, value.length - 3]) {
        expect([name, at, await check(whole, { ...headers, [name]: altered(value, Math.max(at, 0)) })]).toEqual([name, at, [false, false]]);
      }
    }
  });
});
