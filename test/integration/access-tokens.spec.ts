import { Agent } from 'undici';
import { CheckedTokens } from '../../src/auth/bearer/checked-tokens';
import { introspectionCheck } from '../../src/auth/bearer/introspection-check';
import { jwtCheck } from '../../src/auth/bearer/jwt-check';
import { stsCheck } from '../../src/auth/bearer/sts-check';
import type { BearerCheck } from '../../src/auth/bearer/tenant';
import { AUDIENCE, AccessTokenServer, CLIENT, ISSUER } from '../support/access-tokens';
import { eventually } from '../support/eventually';

const UNAVAILABLE = expect.objectContaining({ code: 'token_check_unavailable', status: 503 });
const BEYOND = '12345678901234567890';

describe('access tokens', () => {
  let server: AccessTokenServer;
  let agent: Agent;

  beforeEach(async () => {
    server = await AccessTokenServer.start();
    agent = new Agent();
  });

  afterEach(async () => {
    await agent.destroy();
    await server.stop();
  });

  const sts = (): BearerCheck => stsCheck(agent, `${server.url}/`);
  const introspection = (secret = CLIENT.secret): BearerCheck =>
    introspectionCheck(agent, { url: `${server.url}/introspect`, clientId: CLIENT.id, clientSecret: secret, tenantClaim: 'org' });
  const jwt = (): BearerCheck =>
    jwtCheck(agent, {
      jwksUrl: `${server.url}/jwks`,
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: ['RS256', 'ES256'],
      tenantClaim: 'org',
    });

  const now = Math.floor(Date.now() / 1_000);
  const claims = (org: string, other: object = {}): string =>
    JSON.stringify({ iss: ISSUER, aud: AUDIENCE, exp: now + 600, ...other }).replace('{', `{"org":${org},`);

  const ids = [
    ['5618780000', '5618780000'],
    [BEYOND, BEYOND],
    ['"acme"', 'acme'],
    ['"12"', '12'],
    ['1e3', '1000'],
  ];

  describe.each([
    ['an STS', (): BearerCheck => sts()],
    ['introspection', (): BearerCheck => introspection()],
  ])('by %s', (_way, check) => {
    it.each(ids)('the tenant %s is the account %s', async (idJson, accountId) => {
      server.tenants.set('a+b/c&d=', idJson);
      await expect(check()('a+b/c&d=')).resolves.toMatchObject({ tenant: { accountId, idJson } });
    });

    it('an unknown token is none', async () => expect(await check()('unknown')).toBeUndefined());

    it.each(['null', 'true', '""', '{}', '[1]', '1e400'])('a token of the tenant %s is none', async (idJson) => {
      server.tenants.set('odd', idJson);
      expect(await check()('odd')).toBeUndefined();
    });

    it.each(['"a b"', '-5', '"../x"', '"é"'])('a tenant %s has no account', async (idJson) => {
      server.tenants.set('odd', idJson);
      await expect(check()('odd')).rejects.toMatchObject({ code: 'forbidden' });
    });

    it.each(['error', 'not json'] as const)('%s says nothing of the token', async (mood) => {
      server.tenants.set('good', '1');
      server.mood = mood;
      await expect(check()('good')).rejects.toEqual(UNAVAILABLE);
    });

    it('a server that is away, or never answers, says nothing of it', async () => {
      server.mood = 'hang';
      await expect(check()('good')).rejects.toEqual(UNAVAILABLE);
      const asked = check();
      await server.stop();
      await expect(asked('good')).rejects.toEqual(UNAVAILABLE);
      server = await AccessTokenServer.start();
    });
  });

  it('our own client’s wrong secret is no verdict on a token', async () => {
    server.tenants.set('good', '1');
    await expect(introspection('wrong')('good')).rejects.toEqual(UNAVAILABLE);
  });

  describe('by a JWT', () => {
    it.each(ids)('the tenant %s is the account %s', async (idJson, accountId) => {
      const checked = await jwt()(server.jwt(claims(idJson)));
      expect(checked).toEqual({ tenant: { accountId, idJson }, expiresAtMs: (now + 600) * 1_000 });
    });

    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    it.each<[string, () => string]>([
      ['of another issuer', () => server.jwt(claims('1', { iss: 'https://other.example' }))],
      ['for others', () => server.jwt(claims('1', { aud: 'other' }))],
      ['that has expired', () => server.jwt(claims('1', { exp: now - 60 }))],
      ['that never expires', () => server.jwt(claims('1', { exp: undefined }))],
      ['that begins later', () => server.jwt(claims('1', { nbf: now + 60 }))],
      ['without a tenant', () => server.jwt(claims('null'))],
      ['of a key that is not there', () => server.jwt(claims('1'), 'first', { alg: 'RS256', kid: 'other' })],
      ['without a signature', () => `${none}.${Buffer.from(claims('1')).toString('base64url')}.`],
      ['of a symmetric algorithm', () => server.jwt(claims('1'), 'first', { alg: 'HS256', kid: 'first' })],
      [
        'with other claims than were signed',
        () => server.jwt(claims('1')).replace(/\.[^.]+\./, `.${Buffer.from(claims('2')).toString('base64url')}.`),
      ],
      ['that is none', () => 'a.b.c'],
    ])('one %s is refused', async (_what, token) => expect(await jwt()(token())).toBeUndefined());

    it('each of several keys counts, also where the token names none', async () => {
      server.addKey('second');
      const check = jwt();
      for (const kid of ['first', 'second']) {
        await expect(check(server.jwt(claims('1'), kid, { alg: 'RS256' }))).resolves.toMatchObject({ tenant: { accountId: '1' } });
      }
    });

    it.each(['error', 'not json', 'hang'] as const)('%s instead of keys says nothing of the token', async (mood) => {
      server.mood = mood;
      await expect(jwt()(server.jwt(claims('1')))).rejects.toEqual(UNAVAILABLE);
    });
  });

  describe('what a check said', () => {
    it('is remembered for 60 s, a no for 10 s, and not by others’ tokens', async () => {
      let nowMs = 0;
      const tokens = new CheckedTokens(sts(), () => nowMs);
      server.tenants.set('good', '1');
      const ask = async (): Promise<unknown[]> => [await tokens.tenantOf('good'), await tokens.tenantOf('bad')];
      const answers = [{ accountId: '1', idJson: '1' }, undefined];
      expect(await ask()).toEqual(answers);
      nowMs = 9_999;
      expect(await ask()).toEqual(answers);
      expect(server.asked).toHaveLength(2);
      nowMs = 59_999;
      await ask();
      expect(server.asked).toHaveLength(3);
      nowMs = 60_000;
      server.tenants.delete('good');
      expect(await ask()).toEqual([undefined, undefined]);
      expect(server.asked).toHaveLength(4);
    });

    it('is asked once for all who wait', async () => {
      let open = (): void => undefined;
      server.gate = new Promise((resolve) => (open = resolve));
      server.tenants.set('good', '1');
      const tokens = new CheckedTokens(sts());
      const waiting = Promise.all(Array.from({ length: 50 }, () => tokens.tenantOf('good')));
      await eventually('the STS is asked', () => server.asked.length > 0);
      open();
      expect(new Set((await waiting).map((tenant) => tenant?.accountId))).toEqual(new Set(['1']));
      expect(server.asked).toHaveLength(1);
    });

    it('is not remembered where it was nothing, nor longer than the token lives', async () => {
      let nowMs = 0;
      server.tenants.set('good', '1');
      server.mood = 'error';
      const tokens = new CheckedTokens(sts(), () => nowMs);
      await expect(tokens.tenantOf('good')).rejects.toEqual(UNAVAILABLE);
      server.mood = 'answer';
      await expect(tokens.tenantOf('good')).resolves.toMatchObject({ accountId: '1' });

      let asked = 0;
      const short = new CheckedTokens(
        () => {
          asked += 1;
          return Promise.resolve({ tenant: { accountId: '1', idJson: '1' }, expiresAtMs: 1_000 });
        },
        () => nowMs,
      );
      await short.tenantOf('good');
      nowMs = 1_000;
      await short.tenantOf('good');
      expect(asked).toBe(2);
    });
  });
});
