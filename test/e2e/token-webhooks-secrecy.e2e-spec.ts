import { randomBytes, randomUUID } from 'node:crypto';
import { request } from 'undici';
import { AccessTokenServer } from '../support/access-tokens';
import { type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';

/** Those under way at once. */
const AT_ONCE = 20;
const ROUNDS = 50;

it('no token stands in the log, in answers, in refused requests or in metrics', async () => {
  const engines: Engines = await acquireEngines('rabbitmq and postgres');
  const sts = await AccessTokenServer.start();
  const gateway = await Gateway.ready({ ...engines.options, env: { STS_URL: sts.url, LOG_LEVEL: 'trace', HTTP_MAX_BODY_BYTES: '2048' } });
  try {
    const tokens = new Set<string>();
    const secret = (text: string): string => {
      tokens.add(text);
      return text;
    };
    const said: string[] = [];
    const ask = async (method: string, path: string, headers: Record<string, string>, body?: string): Promise<string> => {
      const answer = await request(gateway.url + path, { method: method as 'GET', headers, body: body ?? null });
      return answer.body.text();
    };
    const tell = async (...args: Parameters<typeof ask>): Promise<void> => void said.push(await ask(...args));
    const json = { 'content-type': 'application/json' };

    const bearer = secret(`access-${randomUUID()}`);
    sts.tenants.set(bearer, '1');
    const made = await ask(
      'POST',
      '/wh/config',
      { authorization: `Bearer ${bearer}`, 'x-orig-server': 'a.example', ...json },
      '{"datasource":"d","event":"e"}',
    );
    const { apiToken, token } = JSON.parse(made) as { apiToken: string; token: string };
    const path = `/wh/${secret(apiToken)}/${secret(token)}`;
    const wrong = (): string => `/wh/${secret(randomUUID())}/${secret(randomBytes(20).toString('hex'))}`;
    const kinds: (() => Promise<void>)[] = [
      () => tell('POST', path, json, '{}'),
      () => tell('POST', path, json, '{"a":'),
      () => tell('POST', path, { 'content-type': 'text/plain' }, '{}'),
      () => tell('POST', path, json, `"${'x'.repeat(3_000)}"`),
      () => tell('POST', `${path}?token=${token}`, { ...json, 'content-encoding': 'br' }, '{}'),
      () => tell('POST', wrong(), json, '{}'),
      () => tell('PUT', wrong(), json, '{}'),
      () => tell('POST', `${wrong()}/more`, json, '{}'),
      () => tell('HEAD', wrong(), {}),
      () => tell('GET', `/wh/config/${secret(randomBytes(20).toString('hex'))}`, { authorization: `Bearer ${bearer}` }),
      () => tell('GET', '/wh/config', { authorization: `Bearer ${secret(`bad-${randomUUID()}`)}` }),
    ];
    const rounds = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round += 1) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => kinds[(round + index) % kinds.length]!()));
      }
    };
    await rounds(ROUNDS);
    sts.mood = 'error';
    await rounds(3);

    const listed = await eventually('refusals are listed', async () => {
      const { body } = await gateway.call('GET', '/api/v1/requests?limit=100');
      return body.data.length > 50 && JSON.stringify(body);
    });
    const metrics = String((await gateway.get('/metrics')).body);
    expect(metrics).toContain('source="wh"');
    expect(said.length).toBeGreaterThanOrEqual(1_000);
    const texts = { log: gateway.log, listed, metrics, answers: said.join('\n') };
    for (const [where, text] of Object.entries(texts)) {
      expect([where, [...tokens].filter((each) => text.includes(each))]).toEqual([where, []]);
    }
  } finally {
    await gateway.remove();
    await sts.stop();
    await engines.release();
  }
}, 120_000);
