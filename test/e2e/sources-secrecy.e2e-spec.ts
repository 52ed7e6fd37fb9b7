import { createHmac, randomBytes } from 'node:crypto';
import { request } from 'undici';
import { type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { Gateway } from '../support/gateway';

/** Those under way at once. */
const AT_ONCE = 20;
const ROUNDS = 50;

it('no token of a source stands in the log, in answers, in refused requests, in metrics or in the ledger', async () => {
  const engines: Engines = await acquireEngines('rabbitmq and postgres');
  const gateway = await Gateway.ready({ ...engines.options, env: { LOG_LEVEL: 'trace', HTTP_MAX_BODY_BYTES: '2048' } });
  try {
    const make = (verification: object): Promise<{ url: string; secret: string }> =>
      gateway.must(201, 'POST', '/api/v1/sources', { name: 'a', application: 'a', verification });
    const [github, open, meta] = [
      await make({ type: 'github' }),
      await make({ type: 'none' }),
      await make({ type: 'meta', secret: 's', verifyToken: 'v' }),
    ];
    const tokens = new Set([github, open, meta].map(({ url }) => url.slice('/in/'.length)));
    const unknown = (): string => {
      const token = randomBytes(32).toString('base64url');
      tokens.add(token);
      return `/in/${token}`;
    };
    const said: string[] = [];
    const tell = async (method: string, path: string, body: string | null = null, headers: Record<string, string> = {}): Promise<void> => {
      const answer = await request(gateway.url + path, { method: method as 'GET', headers, body });
      said.push(JSON.stringify(answer.headers) + (await answer.body.text()));
    };
    const signature = `sha256=${createHmac('sha256', github.secret).update('{}').digest('hex')}`;
    const kinds: (() => Promise<void>)[] = [
      () => tell('POST', github.url, '{}', { 'x-hub-signature-256': signature }),
      () => tell('POST', github.url, '{}', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }),
      () => tell('POST', `${open.url}?token=1`, '{"a":', { 'content-type': 'application/json' }),
      () => tell('POST', `${open.url}/`, '{}'),
      () => tell('POST', github.url, 'x'.repeat(3_000)),
      () => tell('POST', github.url, '{}', { 'content-encoding': 'br' }),
      () => tell('GET', `${meta.url}?hub.mode=subscribe&hub.verify_token=w&hub.challenge=1`),
      () => tell('OPTIONS', github.url),
      () => tell('PUT', github.url, '{}'),
      () => tell('POST', `${github.url}/more`, '{}'),
      () => tell('POST', unknown(), '{}'),
      () => tell('HEAD', unknown()),
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => kinds[(round + index) % kinds.length]!()));
    }
    const listed = await eventually('refusals are listed', async () => {
      const { body } = await gateway.call('GET', '/api/v1/requests?limit=100');
      return body.data.length > 50 && JSON.stringify(body);
    });
    const metrics = String((await gateway.get('/metrics')).body);
    expect(metrics).toContain('source="in"');
    expect(said.length).toBe(1_000);
    const ledger = JSON.stringify(await gateway.must(200, 'GET', '/api/v1/ledger'));
    const texts = { log: gateway.log, listed, metrics, ledger, answers: said.join('\n') };
    for (const [where, text] of Object.entries(texts)) {
      expect([where, [...tokens].filter((each) => text.includes(each))]).toEqual([where, []]);
    }
  } finally {
    await gateway.remove();
    await engines.release();
  }
}, 240_000);
