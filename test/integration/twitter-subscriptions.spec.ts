import { Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SubscriptionKeeper } from '../../src/channels/twitter/subscriptions/subscription-keeper';
import { KeeperSettings } from '../../src/channels/twitter/subscriptions/keeper-settings';
import { IdentityCredentials } from '../../src/dispatcher/registry/identity-credentials';
import { RegistryVersion } from '../../src/storage/registry-version';
import { eventually } from '../support/eventually';
import { X_APP } from '../support/x-api';
import { ENGINES } from './rest-app';
import { FORMS, PUBLIC_URL, TwitterRig } from './twitter-rig';

const CREATE = /\/webhooks(\.json)?$/;
const SUBSCRIBE = /\/subscriptions(\/all|\.json)$/;
const EVERY_SECOND = { HOOK_SERVER_TWITTER_SUBSCRIBE_INTERVAL: '1' };

let rig: TwitterRig;

afterEach(() => {
  jest.restoreAllMocks();
  return rig?.close();
});

describe.each(ENGINES.flatMap((engine) => FORMS.map((api) => ({ engine, api }))))('subscriptions by $api on $engine', ({ engine, api }) => {
  const start = async (env: NodeJS.ProcessEnv = {}): Promise<void> => {
    rig = await TwitterRig.start(engine, { HOOK_SERVER_TWITTER_API: api, ...env });
  };

  it('follow the identities: the webhook is made, who is added is subscribed, who is removed is not any more', async () => {
    await start();
    expect(await rig.state()).toMatchObject({ status: 'starting', missing: [], subscribed: [] });
    await rig.add('acme', '101');
    const state = await rig.stateIs('101 is subscribed', ({ subscribed }) => subscribed.includes('101'));
    expect(state).toMatchObject({
      status: 'ok',
      webhook: { url: `${PUBLIC_URL}/twitter`, valid: true },
      subscribed: ['101'],
      waiting: [],
      refused: [],
      lastError: null,
    });
    expect(rig.api.webhooks.map(({ url, valid }) => [url, valid])).toEqual([[`${PUBLIC_URL}/twitter`, true]]);

    await rig.add('other', '102');
    await eventually('102 is subscribed', () => rig.api.subscribed.includes('102'));
    await rig.remove('acme', '101');
    await rig.stateIs('101 is not subscribed', ({ subscribed }) => !subscribed.includes('101'));
    expect(rig.api.subscribed).toEqual(['102']);
    expect(rig.api.count('POST', CREATE)).toBe(1);
    expect(rig.api.count('POST', SUBSCRIBE)).toBe(2);
  });

  it('change as soon as an identity does, without waiting for a look', async () => {
    await start();
    await rig.add('acme', '101');
    await rig.stateIs('101 is subscribed', ({ subscribed }) => subscribed.includes('101'));
    await rig.add('acme', '102');
    await eventually('102 is subscribed', async () => {
      await rig.putOffLooks();
      return rig.api.subscribed.includes('102');
    });
  });

  it('go to priority accounts first and never beyond the limit; who waits moves up', async () => {
    await start({ HOOK_SERVER_TWITTER_MAX_SUBSCRIBERS: '2', HOOK_SERVER_TWITTER_PRIORITY_COMPANIES: 'first,second' });
    let most = 0;
    rig.api.fail = () => void (most = Math.max(most, rig.api.subscribed.length));
    await rig.add('acme', '1');
    await rig.add('acme', '2');
    await rig.add('acme', '3');
    expect(await rig.stateIs('3 waits', ({ waiting }) => waiting.length === 1)).toMatchObject({ subscribed: ['1', '2'], waiting: ['3'] });
    await rig.add('second', '4');
    await rig.stateIs('4 takes the place of 2', ({ waiting }) => waiting.length === 2);
    expect(rig.api.subscribed).toEqual(['1', '4']);
    await rig.add('first', '5');
    expect(await rig.stateIs('5 takes the place of 1', ({ waiting }) => waiting.length === 3)).toMatchObject({ waiting: ['1', '2', '3'] });
    expect(rig.api.subscribed).toEqual(['4', '5']);
    await rig.remove('first', '5');
    await rig.stateIs('1 is back', ({ subscribed }) => subscribed.includes('1'));
    expect(rig.api.subscribed).toEqual(['1', '4']);
    expect(most).toBe(2);
  });

  it('come back where somebody else has removed one', async () => {
    await start(EVERY_SECOND);
    await rig.add('acme', '7');
    await rig.stateIs('7 is subscribed', ({ subscribed }) => subscribed.includes('7'));
    const [users] = [...rig.api.subscriptions.values()];
    users?.delete('7');
    await eventually('7 is subscribed again', () => rig.api.subscribed.join() === '7');
  });

  it('that the gateway knows nothing of are left alone until they have had an identity', async () => {
    await start({ HOOK_SERVER_TWITTER_MAX_SUBSCRIBERS: '1' });
    rig.api.webhooks.push({ id: '99', url: `${PUBLIC_URL}/twitter`, valid: true, createdAt: '' });
    rig.api.subscriptions.set('99', new Set(['66', '67']));
    await rig.add('acme', '7');
    expect(await rig.stateIs('7 is subscribed', ({ subscribed }) => subscribed.includes('7'))).toMatchObject({
      subscribed: ['66', '67', '7'],
      foreign: ['66', '67'],
      waiting: [],
    });
    await rig.add('acme', '66', null);
    await rig.stateIs('66 is foreign no more', ({ foreign }) => foreign.join() === '67');
    await rig.remove('acme', '66');
    await rig.stateIs('66 is not subscribed', ({ subscribed }) => !subscribed.includes('66'));
    expect(rig.api.subscribed).toContain('67');
  });

  it('stay whatever the platform says that it grants', async () => {
    await start(EVERY_SECOND);
    await rig.add('acme', '1');
    await rig.add('acme', '2');
    await rig.stateIs('both are subscribed', ({ subscribed }) => subscribed.length === 2);
    rig.api.granted = 0;
    await rig.add('acme', '3');
    expect(await rig.stateIs('3 waits', ({ waiting }) => waiting.length === 1)).toMatchObject({ subscribed: ['1', '2'], waiting: ['3'] });
    expect(rig.api.count('DELETE', /./)).toBe(0);
  });

  it('have the platform check an invalid webhook again', async () => {
    await start(EVERY_SECOND);
    await rig.add('acme', '7');
    await rig.stateIs('7 is subscribed', ({ subscribed }) => subscribed.includes('7'));
    const [webhook] = rig.api.webhooks;
    webhook!.valid = false;
    await eventually('the webhook is valid', () => webhook!.valid);
    expect(rig.api.count('PUT', /\/webhooks\//)).toBe(1);
    expect(rig.api.count('POST', CREATE)).toBe(1);
  });

  it('wait after an error, whatever changes meanwhile', async () => {
    await start();
    rig.api.fail = ({ method, path }) =>
      method === 'POST' && SUBSCRIBE.test(path) ? { status: 503, body: { title: 'Over capacity' } } : undefined;
    await rig.add('acme', '1');
    const failing = await rig.stateIs('it fails', ({ status }) => status === 'failing');
    expect(failing.lastError?.message).toMatch(/^POST \/\S+ was answered 503: Over capacity$/);
    const { at = '' } = failing.lastError ?? {};
    expect(Date.parse(failing.nextCheckAt ?? '') - Date.parse(at)).toBe(3_600_000);
    const calls = rig.api.calls.length;
    rig.api.fail = () => undefined;
    await rig.add('acme', '2');
    for (let turn = 0; turn < 3; turn++) await rig.keeper.turnNow();
    expect(rig.api.calls).toHaveLength(calls);
    expect(await rig.state()).toEqual(failing);
  });

  it('go on once the wait after an error is over', async () => {
    await start({ HOOK_SERVER_TWITTER_SLEEP_AFTER_ERROR: '1' });
    rig.api.fail = ({ path }) => (path.includes('count') ? { status: 500 } : undefined);
    await rig.add('acme', '1');
    await rig.stateIs('it fails', ({ status }) => status === 'failing');
    rig.api.fail = () => undefined;
    const state = await rig.stateIs('all is well', ({ status }) => status === 'ok');
    // The error stays readable.
    expect(state).toMatchObject({ subscribed: ['1'], lastError: { message: expect.stringContaining('was answered 500') } });
  });

  it('of others are kept while one user’s token is refused', async () => {
    await start({ HOOK_SERVER_TWITTER_MAX_SUBSCRIBERS: '1', HOOK_SERVER_TWITTER_PRIORITY_COMPANIES: 'first' });
    await rig.add('acme', '2');
    await rig.stateIs('2 is subscribed', ({ subscribed }) => subscribed.includes('2'));
    // The place of another was made free for it: that one gets it back in the same round.
    await rig.add('first', '1', { accessToken: '1-unknown', accessTokenSecret: 'a-secret-that-is-refused' });
    expect(await rig.stateIs('1 is refused', ({ refused }) => refused.length === 1)).toMatchObject({
      status: 'failing',
      subscribed: ['2'],
      waiting: [],
      refused: [{ userId: '1', reason: expect.stringContaining('401: Could not authenticate') }],
    });
    // Who is entered then does not wait for sleepAfterError, and the refused one takes no place again.
    await rig.add('acme', '3');
    expect(await rig.stateIs('3 waits', ({ waiting }) => waiting.includes('3'))).toMatchObject({ subscribed: ['2'], waiting: ['3'] });
    expect(rig.api.calls.filter(({ status }) => status === 401)).toHaveLength(1);
    await rig.add('first', '1');
    expect(await rig.stateIs('1 is subscribed with its new token', ({ status }) => status === 'ok')).toMatchObject({
      subscribed: ['1'],
      waiting: ['2', '3'],
      refused: [],
    });
  });

  it('end with the user’s permission: the token is dropped and nothing is tried with it again', async () => {
    await start(EVERY_SECOND);
    await rig.add('acme', '1');
    await rig.add('acme', '2');
    await rig.stateIs('both are subscribed', ({ subscribed }) => subscribed.length === 2);
    await rig.api.revoke('1');
    const identities = async () => (await rig.app.must(200, 'GET', '/api/v1/accounts/acme/identities')).data as Record<string, unknown>[];
    await eventually('the token is dropped', async () => (await identities()).some(({ hasCredentials }) => hasCredentials === false));
    expect(await identities()).toMatchObject([
      { externalId: '1', hasCredentials: false },
      { externalId: '2', hasCredentials: true },
    ]);
    await rig.stateIs('1 is not subscribed', ({ subscribed }) => subscribed.join() === '2');
    expect(rig.api.calls.filter(({ status }) => status === 401)).toEqual([]);
    // A new permission, and the news of the old one's end once more.
    await rig.add('acme', '1');
    const [webhook] = rig.api.webhooks;
    expect(webhook?.valid).toBe(true);
    const revoke = { date_time: '2018-05-24T09:48:12+00:00', target: { app_id: '1' }, source: { user_id: '1' } };
    expect(await rig.api.send(JSON.stringify({ user_event: { revoke } }))).toEqual([200]);
    await rig.stateIs('1 is subscribed again', ({ subscribed }) => subscribed.length === 2);
    expect((await identities()).every(({ hasCredentials }) => hasCredentials === true)).toBe(true);
  });

  it('are kept by one process at a time', async () => {
    await start();
    const { app } = rig.app;
    const get = <T>(type: new (...args: never[]) => T): T => app.get(type, { strict: false });
    const others = Array.from({ length: 3 }, () => {
      const version = new RegistryVersion(rig.app.storage);
      const other = new SubscriptionKeeper(rig.app.storage, get(IdentityCredentials), get(KeeperSettings), version, get(HttpAdapterHost));
      other.onApplicationBootstrap();
      return other;
    });
    try {
      for (const userId of ['1', '2', '3', '4']) await rig.add('acme', userId);
      await Promise.all([rig.keeper, ...others].flatMap((keeper) => [keeper.turnNow(), keeper.turnNow()]));
      await rig.stateIs('all are subscribed', ({ subscribed }) => subscribed.length === 4);
      await Promise.all(others.map((keeper) => keeper.turnNow()));
      // Nobody was subscribed twice, and no round ran into another.
      expect(
        rig.api.calls
          .filter(({ method, path }) => method === 'POST' && SUBSCRIBE.test(path))
          .map(({ caller }) => caller)
          .sort(),
      ).toEqual(['1', '2', '3', '4']);
      expect(rig.api.count('POST', CREATE)).toBe(1);
      expect(rig.api.calls.every(({ status }) => status < 300)).toBe(true);
    } finally {
      await Promise.all(others.map((keeper) => keeper.onModuleDestroy()));
    }
  });
});

describe('the keeper', () => {
  it('says what is missing, and does nothing', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn');
    rig = await TwitterRig.start('sqlite', { HOOK_SERVER_TWITTER_BEARER_TOKEN: undefined, HOOK_SERVER_PUBLIC_URL: undefined });
    expect(warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('Subscriptions of X'))).toEqual([
      'Subscriptions of X (docs/channels/twitter.md) are not kept without hookServer.publicUrl and hookServer.twitter.bearerToken',
    ]);
    await rig.add('acme', '1');
    await rig.keeper.turnNow();
    expect(await rig.state()).toMatchObject({
      status: 'off',
      missing: ['hookServer.publicUrl', 'hookServer.twitter.bearerToken'],
      nextCheckAt: null,
    });
    expect(rig.api.calls).toEqual([]);
  });

  it('shows no token, whatever the platform says, and nothing at all to the key of an account', async () => {
    rig = await TwitterRig.start('sqlite');
    const token = rig.api.authorize('1');
    const echo = `${token.accessToken} ${token.accessTokenSecret} ${X_APP.bearerToken} ${X_APP.consumerSecret}`;
    rig.api.fail = ({ method, path }) => (method === 'POST' && SUBSCRIBE.test(path) ? { status: 400, body: { detail: echo } } : undefined);
    await rig.add('acme', '1', token);
    const { lastError } = await rig.stateIs('it fails', ({ status }) => status === 'failing');
    expect(lastError?.message).toMatch(/was answered 400: \*\*\* \*\*\* \*\*\* \*\*\*$/);
    const key = await rig.app.newAccount('newcomer');
    expect((await rig.app.must(200, 'GET', '/api/v1/channels/twitter', undefined, { key })).state).toBeNull();
  });

  it.each<[string, string, RegExp]>([
    ['an address where nobody listens', 'http://127.0.0.1:1', /^GET \/2\/webhooks got no answer: connection_refused$/],
    ['the metadata of a cloud', 'http://169.254.169.254', /^GET \/2\/webhooks got no answer: address_refused$/],
  ])('tells of %s', async (_, url, message) => {
    rig = await TwitterRig.start('sqlite', { HOOK_SERVER_TWITTER_API_URL: url });
    await rig.keeper.turnNow();
    expect((await rig.state()).lastError?.message).toMatch(message);
  });

  it('tells why the platform does not take the webhook', async () => {
    rig = await TwitterRig.start('sqlite', { HOOK_SERVER_PUBLIC_URL: 'https://nobody.example.com' });
    rig.api.names.set('https://nobody.example.com', 'http://127.0.0.1:1');
    await rig.keeper.turnNow();
    expect(await rig.state()).toMatchObject({ status: 'failing', webhook: null });
    expect((await rig.state()).lastError?.message).toContain('CrcValidationFailed');
  });

  it('leaves room for subscriptions of the app’s other webhooks', async () => {
    rig = await TwitterRig.start('sqlite');
    rig.api.granted = 3;
    rig.api.webhooks.push({ id: '99', url: 'https://elsewhere.example.com/x', valid: true, createdAt: '' });
    rig.api.subscriptions.set('99', new Set(['501', '502']));
    await rig.add('acme', '1');
    await rig.stateIs('1 is subscribed', ({ subscribed }) => subscribed.includes('1'));
    await rig.add('acme', '2');
    expect(await rig.stateIs('2 waits', ({ waiting }) => waiting.length === 1)).toMatchObject({ status: 'ok', subscribed: ['1'] });
    expect(rig.api.subscribed).toEqual(['1', '501', '502']);
  });

  it('is told of by metrics', async () => {
    rig = await TwitterRig.start('sqlite', { HOOK_SERVER_TWITTER_MAX_SUBSCRIBERS: '1' });
    await rig.add('acme', '1');
    await rig.add('acme', '2');
    await rig.stateIs('2 waits', ({ waiting }) => waiting.length === 1);
    await eventually('the metrics tell it', async () => {
      const { text } = await rig.app.call('GET', '/metrics');
      expect(text).toContain('hookline_twitter_subscriptions{state="subscribed"} 1');
      expect(text).toContain('hookline_twitter_subscriptions{state="waiting"} 1');
      expect(text).toContain('hookline_twitter_subscriptions_failing 0');
      return true;
    });
  });
});
