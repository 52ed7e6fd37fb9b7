import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sign as signGithub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import { AUTH_TOKEN, signForm } from '../support/twilio-sender';

type Headers = Record<string, string>;

export interface Sent {
  headers: Headers;
  body: Buffer;
  /** After the source's path. */
  query?: string;
}

/** A request as a platform sends it to a source of its preset, and what becomes of it. */
export interface PresetRequest {
  title: string;
  verification: { type: string } & Record<string, unknown>;
  /** @param path Of the source's URL; what signs URLs signs it under `PUBLIC_URL` of twilio-sender.ts. */
  make(path: string): Promise<Sent> | Sent;
  /** In the order of the request; a key of null: none of the sender's. */
  events: { eventType: string; key: string | RegExp | null }[];
  /** What must not be accepted any more; absent: a byte of the body is changed. Null: anything is accepted. */
  spoil?: Headers | null;
  /** What it is answered with; absent: nothing. */
  answer?: string;
}

const FIXTURES = join(__dirname, '../fixtures');

interface Vector {
  id: string;
  secret: string;
  url: string;
  headers: Headers;
  rawBodyBase64: string;
}

const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'presets/vectors.json'), 'utf8')) as { cases: Vector[] };

/** One of the published vectors that no clock spoils. */
function vector(id: string, type: string): Pick<PresetRequest, 'title' | 'verification' | 'make'> {
  const { secret, headers, rawBodyBase64, url } = cases.find((one) => one.id === id)!;
  const [base, search] = url.split('?', 2) as [string, string | undefined];
  return {
    title: id,
    verification: { type, secret, ...(type === 'twilio' && { url: base }) },
    make: () => ({ headers, body: Buffer.from(rawBodyBase64, 'base64'), ...(search !== undefined && { query: `?${search}` }) }),
  };
}

const KEY = 'a secret of thirty-two characters';
const WHSEC = `whsec_${Buffer.from(KEY).toString('base64')}`;
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const bodyOf = (text: string): Buffer => Buffer.from(text);

/** Seconds of now, as signed. */
const now = (): number => Math.floor(Date.now() / 1_000);

function signedBySlack(body: string, headers: Headers): Sent {
  const time = String(now());
  const signature = `v0=${createHmac('sha256', KEY).update(`v0:${time}:${body}`).digest('hex')}`;
  return { headers: { ...headers, 'x-slack-request-timestamp': time, 'x-slack-signature': signature }, body: bodyOf(body) };
}

function signedBy(sdk: Webhook | SvixWebhook, prefix: string, body: string, more: Headers = {}): Sent {
  const at = new Date();
  const id = `msg_${String(at.getTime())}`;
  const signed = { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: String(now()), [`${prefix}-signature`]: sdk.sign(id, at, body) };
  return { headers: { ...JSON_TYPE, ...more, ...signed }, body: bodyOf(body) };
}

const fixture = (path: string): Buffer => readFileSync(join(FIXTURES, path));

const generic = (
  type: string,
  settings: object,
  headers: Headers,
  spoil: Headers | null | undefined,
): Pick<PresetRequest, 'title' | 'verification' | 'make' | 'events' | 'spoil'> => ({
  title: type,
  verification: { type, ...settings, dedupeFrom: 'body:order.id' },
  make: () => ({ headers: { ...JSON_TYPE, ...headers }, body: bodyOf('{"order": {"id": 12345678901234567890}, "kind": "paid"}') }),
  events: [{ eventType: 'paid', key: '12345678901234567890' }],
  ...(spoil !== undefined && { spoil }),
});

const GENERIC_BODY_HMAC = createHmac('sha512', KEY).update('{"order": {"id": 12345678901234567890}, "kind": "paid"}').digest('base64');

export const PRESET_REQUESTS: readonly PresetRequest[] = [
  { ...vector('meta-003', 'meta'), events: [{ eventType: 'message', key: /^#/ }], answer: 'EVENT_RECEIVED' },
  { ...vector('meta-005', 'meta'), events: [{ eventType: 'messages', key: /^#/ }], answer: 'EVENT_RECEIVED' },
  {
    ...vector('x-028', 'twitter'),
    events: [{ eventType: 'direct_message', key: '4337869213:direct_message:954491830116155396' }],
  },
  {
    ...vector('twilio-051', 'twilio'),
    events: [{ eventType: 'received', key: '8a1ff7b2-2c49-4d0b-9b77-0f5d1e6c9f11#0' }],
    answer: '<Response/>',
  },
  { ...vector('twilio-066', 'twilio'), events: [{ eventType: 'webhook', key: null }], answer: '<Response/>' },
  {
    title: 'a call, signed by Twilio’s SDK',
    verification: { type: 'twilio', secret: AUTH_TOKEN },
    make(path) {
      const body = 'CallSid=CA1&CallStatus=completed&SequenceNumber=3';
      return { headers: signForm(path, body).headers, body: bodyOf(body) };
    },
    events: [{ eventType: 'completed', key: /CA1.*completed.*3/ }],
    answer: '<Response/>',
  },
  { ...vector('webex-074', 'webex'), events: [{ eventType: 'messages.created', key: /^#/ }] },
  { ...vector('gh-111', 'github'), events: [{ eventType: 'push', key: '72d3162e-cc78-11e3-81ab-4c9367dc0958' }] },
  {
    title: 'a form, signed by Octokit',
    verification: { type: 'github', secret: KEY },
    async make() {
      const body = `payload=${encodeURIComponent('{"action":"opened"}')}`;
      const signature = await signGithub(KEY, body);
      return {
        headers: { ...FORM_TYPE, 'x-github-event': 'issues', 'x-github-delivery': '7', 'x-hub-signature-256': signature },
        body: bodyOf(body),
      };
    },
    events: [{ eventType: 'issues', key: '7' }],
  },
  {
    ...vector('gitlab-153', 'gitlab'),
    events: [{ eventType: 'Push Hook', key: 'f5e57ffd-0a5c-4f2f-9b0b-4d2f0f3f5b11' }],
    spoil: { 'x-gitlab-token': 'another' },
  },
  {
    title: 'GitLab’s signing token',
    verification: { type: 'gitlab', secret: WHSEC },
    make: () => signedBy(new Webhook(WHSEC), 'webhook', '{"object_kind":"push"}', { 'x-gitlab-event': 'Push Hook' }),
    events: [{ eventType: 'Push Hook', key: /^msg_/ }],
  },
  { ...vector('shopify-133', 'shopify'), events: [{ eventType: 'products/update', key: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043' }] },
  {
    title: 'standardwebhooks',
    verification: { type: 'standard-webhooks', secret: WHSEC },
    make: () => signedBy(new Webhook(WHSEC), 'webhook', '{"type":"contact.created"}'),
    events: [{ eventType: 'contact.created', key: /^msg_/ }],
  },
  {
    title: 'svix',
    verification: { type: 'svix', secret: WHSEC },
    make: () => signedBy(new SvixWebhook(WHSEC), 'svix', '{"type":"contact.created"}'),
    events: [{ eventType: 'contact.created', key: /^msg_/ }],
  },
  {
    title: 'stripe',
    verification: { type: 'stripe', secret: WHSEC },
    make() {
      const payload = '{"id":"evt_1","type":"payment_intent.succeeded","created":1680064028}';
      const signature = new Stripe('sk_test_1').webhooks.generateTestHeaderString({ payload, secret: WHSEC, timestamp: now() });
      return { headers: { ...JSON_TYPE, 'stripe-signature': signature }, body: bodyOf(payload) };
    },
    events: [{ eventType: 'payment_intent.succeeded', key: 'evt_1' }],
  },
  {
    title: 'an event of Slack',
    verification: { type: 'slack', secret: KEY },
    make: () => signedBySlack('{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}', JSON_TYPE),
    events: [{ eventType: 'message', key: 'Ev1' }],
  },
  {
    title: 'a command of Slack',
    verification: { type: 'slack', secret: KEY },
    make: () => signedBySlack('command=%2Fdeploy&trigger_id=1.2', FORM_TYPE),
    events: [{ eventType: '/deploy', key: '1.2' }],
  },
  {
    title: 'a batch of CloudEvents',
    verification: { type: 'cloudevents', secret: 'token' },
    make: () => ({
      headers: { 'content-type': 'application/cloudevents-batch+json', authorization: 'Bearer token' },
      body: fixture('cloudevents/payloads/cloudevents_batch.json'),
    }),
    events: [
      { eventType: 'com.example.someevent', key: '["/mycontext/4","B234-1234-1234"]' },
      { eventType: 'com.example.someotherevent', key: '["/mycontext/9","C234-1234-1234"]' },
    ],
    spoil: { authorization: 'Bearer another' },
  },
  generic('hmac', { secret: KEY, header: 'X-Mac', algorithm: 'sha512', encoding: 'base64' }, { 'x-mac': GENERIC_BODY_HMAC }, undefined),
  generic('basic', { user: 'u', secret: 'p' }, { authorization: 'Basic dTpw' }, { authorization: 'Basic dTpx' }),
  generic('bearer', { secret: 'token' }, { authorization: 'Bearer token' }, { authorization: 'Bearer tokem' }),
  generic('api-key', { secret: 'key', header: 'X-API-Key' }, { 'x-api-key': 'key' }, { 'x-api-key': 'kez' }),
  generic('ip', { ranges: ['192.0.2.0/24'] }, { 'x-forwarded-for': '192.0.2.7' }, { 'x-forwarded-for': '192.0.3.7' }),
  generic(
    'mtls-header',
    { commonNames: ['client'] },
    { 'ssl-client-verify': 'SUCCESS', 'ssl-client-s-dn': 'CN=client' },
    { 'ssl-client-s-dn': 'CN=other' },
  ),
  generic('none', {}, {}, null),
];
