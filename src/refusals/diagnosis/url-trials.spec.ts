import { signForm, signJson } from '../../../test/support/twilio-sender';
import type { SourceCheck } from '../../http/door';
import { findPreset } from '../../presets/presets';
import { diagnose } from './diagnose';
import type { Finding } from './trial';

const TOKEN = '0123456789abcdef0123456789abcdef';
const BODY = 'From=%2B15550001&Body=hello+world';
const TARGET = '/twilio/message?a=1';

interface Sent {
  /** As Twilio signed it. */
  url?: string;
  path?: string;
  /** As it came here. */
  target?: string;
  headers?: Record<string, string>;
  publicUrl?: string | null;
  settings?: Record<string, unknown>;
  token?: string;
  body?: string;
  secretSetting?: string;
}

async function findingsOf({
  url = 'https://gw.example.com',
  path = TARGET,
  token = TOKEN,
  body = BODY,
  ...sent
}: Sent): Promise<Finding[]> {
  const check: SourceCheck = {
    source: 'twilio',
    title: 'the channel twilio',
    preset: findPreset('twilio')!,
    settings: { secrets: [token], ...sent.settings },
    context: { publicUrl: sent.publicUrl === undefined ? 'https://gw.example.com' : sent.publicUrl },
    secretSetting: sent.secretSetting ?? 'hookServer.twilio.authToken',
  };
  const signed = signForm(path, BODY, { url, token: TOKEN });
  const request = {
    ...{ requestId: 'r', receivedAt: 1, route: '/twilio/message', method: 'POST', address: '', viaProxy: false },
    target: sent.target ?? TARGET,
    headers: { ...signed.headers, ...sent.headers },
    body: Buffer.from(body),
  };
  return (await diagnose({ request, check, others: [] })).findings;
}

it.each<[string, Sent, string]>([
  ['scheme', { url: 'http://gw.example.com' }, 'http://gw.example.com'],
  ['port', { url: 'https://gw.example.com:8443' }, 'https://gw.example.com:8443'],
  ['host', { url: 'https://hooks.example', headers: { host: 'hooks.example' } }, 'https://hooks.example'],
  ['host, told by a proxy', { url: 'https://hooks.example', headers: { 'x-forwarded-host': 'hooks.example, a' } }, 'https://hooks.example'],
  ['prefix', { url: 'https://gw.example.com/hooks', headers: { 'x-forwarded-prefix': '/hooks' } }, 'https://gw.example.com/hooks'],
  ['URL, where none is set', { publicUrl: null, headers: { host: 'gw.example.com' } }, 'https://gw.example.com'],
])('another %s', async (_what, sent, told) => {
  const findings = await findingsOf(sent);
  expect(findings).toMatchObject([{ cause: 'public_url', certain: true, setting: 'hookServer.publicUrl' }]);
  expect(findings[0]?.fix).toContain(`Set hookServer.publicUrl to ${told},`);
  expect(findings[0]?.repair).toBeUndefined();
});

it('another scheme, at a source that may say its own URL', async () => {
  const [finding] = await findingsOf({ url: 'http://gw.example.com', secretSetting: 'verification.secrets' });
  expect(finding?.fix).toContain('or verification.url');
  const [ofChannel] = await findingsOf({ url: 'http://gw.example.com' });
  expect(ofChannel?.fix).not.toContain('verification.');
});

it('another scheme of a JSON request, whose URL holds the body’s hash', async () => {
  const body = '{"a":1}';
  const { path, headers } = signJson('/twilio/events', body, { url: 'http://gw.example.com' });
  const findings = await findingsOf({ target: path, headers, body });
  expect(findings).toMatchObject([{ cause: 'public_url' }]);
});

it.each<[string, Sent, string, string]>([
  ['a slash that was lost', { path: '/twilio/message/?a=1' }, 'trailing_slash', '/twilio/message/?a=1'],
  ['a slash that was added', { target: '/twilio/message/?a=1' }, 'trailing_slash', TARGET],
  ['a query that was added', { path: '/twilio/message' }, 'path_changed', '/twilio/message'],
  ['what was unescaped', { path: '/twilio/message?a=%20', target: '/twilio/message?a= ' }, 'path_changed', '/twilio/message?a=%20'],
  ['what was escaped', { path: '/twilio/message?a=é', target: '/twilio/message?a=%C3%A9' }, 'path_changed', '/twilio/message?a=é'],
  [
    'a path that was written anew',
    { path: '/hooks/message?a=1', headers: { 'x-original-uri': '/hooks/message?a=1' } },
    'path_changed',
    '/hooks/message?a=1',
  ],
])('%s', async (_what, sent, cause, target) => {
  expect(await findingsOf(sent)).toMatchObject([{ cause, certain: true, repair: { target } }]);
});

it.each<[string, string, string]>([
  ['scheme', 'http://gw.example.com/twilio/message', 'public_url'],
  ['slash', 'https://gw.example.com/twilio/message/', 'trailing_slash'],
])('a source’s own URL with another %s', async (_what, url, cause) => {
  const [first] = await findingsOf({ settings: { url } });
  expect(first).toMatchObject({ cause, setting: 'verification.url', certain: true });
});

it('a body whose form was written anew', async () => {
  expect(await findingsOf({ body: 'From=%2B15550001&Body=hello%20world' })).toMatchObject([{ cause: 'mended' }]);
});

it.each([
  ['a token with a line break', `${TOKEN}\n`, 'secret_whitespace'],
  ['a token that is set for another account', `AC0001:${TOKEN}`, 'secret_account'],
])('%s', async (_what, token, cause) => {
  expect(await findingsOf({ token })).toMatchObject([{ cause, certain: true, setting: 'hookServer.twilio.authToken' }]);
});

it('nothing of it', async () => {
  expect(await findingsOf({ token: 'f'.repeat(32) })).toMatchObject([{ cause: 'secret_unknown', certain: false }]);
});
