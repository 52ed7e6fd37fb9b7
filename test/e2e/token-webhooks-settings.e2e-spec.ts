import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AccessTokenServer } from '../support/access-tokens';
import { ROOT } from '../support/build';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { ADMIN_KEY, Gateway } from '../support/gateway';
import { execute } from '../support/services/processes';
import { TokenWebhookClient } from '../support/token-webhook-client';

const newKey = (): string => randomBytes(32).toString('base64');
const PUSH = { datasource: 'github', event: 'push' };

describe('settings of token webhooks', () => {
  let gateway: Gateway;
  let sts: AccessTokenServer;

  beforeEach(async () => {
    sts = await AccessTokenServer.start();
    sts.tenants.set('access-token', '1');
  });

  afterEach(async () => {
    await gateway?.remove();
    await sts.stop();
  });

  it('sources.legacyApiToken puts the access token into the URL', async () => {
    const odd = 'a%2F+/b=?&c~';
    const longest = 'x'.repeat(2_000);
    for (const token of [odd, longest, `${longest}x`, '%'.repeat(667)]) sts.tenants.set(token, '1');
    gateway = await Gateway.ready({ env: { STS_URL: sts.url, SOURCES_LEGACY_API_TOKEN: 'true', LOG_LEVEL: 'trace' } });
    const client = new TokenWebhookClient(gateway);
    for (const [token, event] of [
      [odd, 'odd'],
      [longest, 'longest'],
    ] as const) {
      const made = await client.config({ ...PUSH, event }, token);
      expect(made.body).toMatchObject({ apiToken: token, hookUrl: expect.stringContaining(`/wh/${encodeURIComponent(token)}/`) });
      const path = (made.body.hookUrl as string).slice('https://webhook.mydomain.gaiahub.io'.length);
      expect((await client.ask('HEAD', path, {})).status).toBe(200);
      expect((await client.send(path)).status).toBe(204);
      expect((await client.config({ ...PUSH, event })).body.hookUrl).toBe(made.body.hookUrl);
      for (const text of [token, encodeURIComponent(token)]) expect(gateway.log).not.toContain(text);
    }
    for (const token of [`${longest}x`, '%'.repeat(667)]) {
      expect(await client.config(PUSH, token)).toMatchObject({ status: 400, body: { msg: expect.stringContaining('too long') } });
    }
  });

  it('refuses to start with several ways of checking access tokens', async () => {
    gateway = await Gateway.launch({
      env: {
        STS_URL: sts.url,
        ACCESS_TOKENS_JWT_JWKS_URL: `${sts.url}/jwks`,
        ACCESS_TOKENS_JWT_ISSUER: 'https://issuer.example',
        ACCESS_TOKENS_JWT_AUDIENCE: 'hookline',
      },
    });
    expect(await gateway.ends()).toMatchObject({ code: 78 });
    expect(gateway.log).toContain('sts.url, accessTokens.jwt.jwksUrl: access tokens are checked in one way; set one of these');
  });
});

describe.each(ENGINE_SETS)('the tokens of webhooks on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;

  beforeAll(async () => void (engines = await acquireEngines(set)));

  afterAll(async () => {
    await gateway?.remove();
    await engines?.release();
  });

  it('are sealed anew with a new key, and then the old one may go', async () => {
    const [old, key] = [newKey(), newKey()];
    gateway = await Gateway.ready({ ...engines.options, env: { SECRETS_ENCRYPTION_KEYS: old } });
    const client = new TokenWebhookClient(gateway);
    const admin = client.bearer(ADMIN_KEY);
    const made = await client.config(PUSH, ADMIN_KEY);
    expect(made.status).toBe(200);
    await gateway.terminate();

    gateway.start({ SECRETS_ENCRYPTION_KEYS: `${key},${old}` });
    await gateway.becomesReady();
    const { stdout } = await execute(process.execPath, [join(ROOT, 'dist', 'reencrypt-secrets.js')], {
      env: {
        DATA_DIR: gateway.dataFolder,
        SECRETS_ENCRYPTION_KEYS: `${key},${old}`,
        ...(engines.options.databaseUrl !== undefined && { DATABASE_URL: engines.options.databaseUrl }),
      },
    });
    expect(stdout).toContain('No other key is needed any more');
    await gateway.terminate();

    gateway.start({ SECRETS_ENCRYPTION_KEYS: key });
    await gateway.becomesReady();
    const { token, hookUrl } = made.body as { token: string; hookUrl: string };
    expect((await client.ask('GET', `/wh/config/${token}`, admin)).body).toMatchObject({ token, hookUrl });
    expect((await client.send(new URL(hookUrl).pathname)).status).toBe(204);
  });
});
