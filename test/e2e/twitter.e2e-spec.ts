import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { X_APP, XApi } from '../support/x-api';

const PUBLIC_URL = 'https://hooks.example.com';
const message = readFileSync(join(__dirname, '../fixtures/twitter/payloads/x_direct_message_events.json'), 'utf8');
const [HARRISON, JORDAN] = ['4337869213', '3001969357'];

describe.each(ENGINE_SETS)('X from a token to a delivered message, on %s', (set) => {
  let engines: Engines;
  let api: XApi;
  let receiver: Receiver;
  const gateways: Gateway[] = [];

  const startGateway = async (): Promise<Gateway> => {
    const gateway = await Gateway.ready({
      ...engines.options,
      env: {
        HOOK_SERVER_PUBLIC_URL: PUBLIC_URL,
        HOOK_SERVER_TWITTER_ENABLED: 'true',
        HOOK_SERVER_TWITTER_CONSUMER_KEY: X_APP.consumerKey,
        HOOK_SERVER_TWITTER_CONSUMER_SECRET: X_APP.consumerSecret,
        HOOK_SERVER_TWITTER_BEARER_TOKEN: X_APP.bearerToken,
        HOOK_SERVER_TWITTER_API_URL: api.url,
        HOOK_SERVER_TWITTER_SUBSCRIBE_INTERVAL: '1',
        // The receiver is on this machine, which a gateway with a public URL does not take for granted.
        EGRESS_ALLOW: '127.0.0.0/8',
      },
    });
    gateways.push(gateway);
    return gateway;
  };

  beforeAll(async () => {
    engines = await acquireEngines(set);
    [api, receiver] = await Promise.all([XApi.start(), Receiver.start()]);
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.remove()));
    await Promise.all([api?.stop(), receiver?.stop()]);
    await engines?.release();
  });

  it('subscribes each user once, whichever replica does it, and delivers what the platform sends', async () => {
    const first = await startGateway();
    api.names.set(PUBLIC_URL, first.url);
    const replicas = set === 'embedded' ? [first] : [first, await startGateway()];
    const { secret } = await first.subscribe(receiver.url);
    receiver.secrets = [secret];

    const tokens = [HARRISON, JORDAN].map((userId) => ({ userId, ...api.authorize(userId) }));
    for (const { userId, ...credentials } of tokens) {
      await first.must(201, 'POST', '/api/v1/accounts/default/identities', { channel: 'twitter', externalId: userId, credentials });
    }
    await eventually('both are subscribed', () => api.subscribed.length === 2, { deadlineMs: 60_000 });
    expect(await api.send(message)).toEqual([200]);
    const [delivered] = await eventually('it is delivered', () => receiver.bodies.length > 0 && receiver.bodies);
    expect(receiver.received[0]?.verified).toBe(true);
    expect(delivered).toMatchObject({
      type: 'twitter.direct_message',
      context: { forUserId: HARRISON, users: { [JORDAN]: { id: JORDAN } } },
    });

    // One of them goes: with the turns at the platform, if they are its own just now.
    const survivor = replicas.at(-1)!;
    if (replicas.length > 1) await first.kill();
    api.names.set(PUBLIC_URL, survivor.url);
    const credentials = api.authorize('77');
    await survivor.must(201, 'POST', '/api/v1/accounts/default/identities', { channel: 'twitter', externalId: '77', credentials });
    await eventually('the third is subscribed', () => api.subscribed.length === 3, { deadlineMs: 90_000 });

    const subscribers = api.calls.filter(({ method, caller }) => method === 'POST' && /^\d+$/.test(caller)).map(({ caller }) => caller);
    expect(subscribers.sort()).toEqual([JORDAN, HARRISON, '77'].sort());
    expect(api.webhooks).toHaveLength(1);
    const secrets = [
      X_APP.consumerSecret,
      X_APP.bearerToken,
      ...[...tokens, credentials].flatMap((token) => [token.accessToken, token.accessTokenSecret]),
    ];
    const state = JSON.stringify(await survivor.must(200, 'GET', '/api/v1/channels/twitter'));
    const logs = gateways.map((gateway) => gateway.log).join();
    for (const text of secrets) expect(`${state}${logs}`.includes(text)).toBe(false);
  }, 180_000);
});
