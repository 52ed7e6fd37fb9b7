import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import { Client } from 'undici';
import { Broker } from '../../src/broker/broker';
import { GatewayError } from '../../src/core/errors';
import { eventually } from '../support/eventually';
import { batchOf, signatureOf } from '../support/facebook-sender';
import { ADMIN_KEY, APP_SECRET } from '../support/gateway';
import { type FacebookApp, startFacebookApp } from './facebook-app';

const WRONG = { HOOK_SERVER_FACEBOOK_APP_SECRET: 'a-wrong-secret' };

let gateway: FacebookApp;
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hookline-refusals-'));
});
afterEach(async () => {
  await gateway.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const start = async (env: NodeJS.ProcessEnv): Promise<void> => {
  gateway = await startFacebookApp({ HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: 'false', DATA_DIR: dataDir, ...env });
};
const restart = async (env: NodeJS.ProcessEnv): Promise<void> => {
  await gateway.close();
  await start(env);
};

const asAdmin = (method: 'get' | 'post', path: string): request.Test =>
  request(gateway.url)[method](`/api/v1/requests${path}`).set('authorization', `Bearer ${ADMIN_KEY}`);
const post = (body: string, signature = signatureOf(body), more: Record<string, string> = {}): request.Test =>
  request(gateway.url)
    .post('/facebook')
    .set({ 'content-type': 'application/json', 'x-hub-signature-256': signature, ...more })
    .send(body);
const depth = async (): Promise<number> => (await gateway.app.get(Broker, { strict: false }).depth('webhooks.facebook.default')).messages;
const causesOf = async (id: string): Promise<Record<string, unknown>[]> =>
  (await asAdmin('get', `/${id}/diagnosis`)).body.causes as Record<string, unknown>[];

const refused = (code: string): Promise<string> =>
  eventually('it is listed', async () => {
    const { data } = (await asAdmin('get', `?outcome=rejected&code=${code}`)).body as { data: { id: string }[] };
    return data[0]?.id;
  });

describe('a refused request', () => {
  it('is taken in once the setting is right, and only once', async () => {
    await start(WRONG);
    expect((await post(batchOf(['m1']))).status).toBe(401);
    const id = await refused('signature_invalid');
    expect((await asAdmin('post', `/${id}/accept`)).body).toMatchObject({ status: 422, code: 'still_refused' });

    await restart({ HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET });
    const broker = gateway.app.get(Broker, { strict: false });
    const publish = broker.publish.bind(broker);
    let release: (() => void) | undefined;
    broker.publish = async (message) => {
      // The first alone: a second one that is let in by mistake is to be seen, not waited for.
      if (release === undefined) await new Promise<void>((resolve) => (release = resolve));
      return publish(message);
    };
    const first = asAdmin('post', `/${id}/accept`).then(({ status }) => status);
    const goOn = await eventually('it is under way', () => release);
    const { body: meanwhile } = await asAdmin('post', `/${id}/accept`);
    goOn();
    expect(await first).toBe(200);
    expect(meanwhile).toMatchObject({ status: 409, code: 'conflict' });
    expect((await asAdmin('post', `/${id}/accept`)).body).toMatchObject({ status: 409, code: 'conflict' });
    expect(await depth()).toBe(1);
    const { data } = (await asAdmin('get', '?outcome=accepted')).body;
    expect(data).toMatchObject([{ id, outcome: 'accepted', acceptedAt: expect.stringMatching(/Z$/) }]);
  });

  it('is found by the id that its answer tells', async () => {
    await start(WRONG);
    const { requestId } = (await post(batchOf(['m1']))).body as { requestId: string };
    await refused('signature_invalid');
    expect((await asAdmin('get', `/${requestId}`)).body).toMatchObject({ id: requestId, requestId });
    expect((await asAdmin('get', `/${requestId}/diagnosis`)).status).toBe(200);
    expect((await asAdmin('post', `/${requestId}/accept`)).body).toMatchObject({ code: 'still_refused' });
  });

  it('cannot be taken in where it was not kept whole', async () => {
    await start({ ...WRONG, REFUSALS_MAX_BODY_BYTES: '10' });
    await post(batchOf(['m1']));
    const id = await refused('signature_invalid');
    expect((await asAdmin('get', `/${id}`)).body).toMatchObject({ bodyComplete: false, body: '{"object":' });
    expect((await asAdmin('post', `/${id}/accept`)).body).toMatchObject({ status: 422, code: 'request_incomplete' });
  });
});

describe('a cause that the code tells', () => {
  it.each<[string, string, NodeJS.ProcessEnv, () => request.Test, object]>([
    [
      'not_configured',
      'channel_not_configured',
      { HOOK_SERVER_FACEBOOK_APP_SECRET: '' },
      () => post('{}'),
      { setting: 'hookServer.facebook.appSecret' },
    ],
    ['switched_off', 'not_found', { HOOK_SERVER_FACEBOOK_ENABLED: 'false' }, () => post('{}'), {}],
    ['content_type', 'unsupported_media_type', {}, () => post('{}', 'x', { 'content-type': 'text/plain' }), {}],
    ['content_type', 'unsupported_encoding', {}, () => post('{}', 'x', { 'content-encoding': 'br' }), {}],
    ['body_too_large', 'body_too_large', { HTTP_MAX_BODY_BYTES: '1024' }, () => post('x'.repeat(2_000)), { setting: 'http.maxBodyBytes' }],
    ['unreadable', 'malformed_json', {}, () => post('{'), {}],
    [
      'verify_token',
      'verify_token_mismatch',
      {},
      () => request(gateway.url).get('/facebook?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1'),
      {},
    ],
  ])('%s for %s', async (cause, code, env, send, more) => {
    await start(env);
    expect((await send()).body).toMatchObject({ code });
    expect(await causesOf(await refused(code))).toMatchObject([{ cause, certain: true, acceptable: false, ...more }]);
  });

  it('is mended where the request passes now that did not then', async () => {
    await start({ HOOK_SERVER_FACEBOOK_APP_SECRET: '' });
    await post(batchOf(['m1']));
    const id = await refused('channel_not_configured');
    await restart({ HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET });
    expect(await causesOf(id)).toMatchObject([{ cause: 'mended', acceptable: true }]);
    expect((await asAdmin('post', `/${id}/accept`).send({ cause: 'mended' })).status).toBe(200);
    expect(await depth()).toBe(1);
  });

  it('is an outage while the broker does not answer', async () => {
    await start({});
    const broker = gateway.app.get(Broker, { strict: false });
    const publish = broker.publish.bind(broker);
    broker.publish = () => Promise.reject(new GatewayError('broker_unavailable'));
    await post(batchOf(['m1']));
    const id = await refused('broker_unavailable');
    expect((await asAdmin('post', `/${id}/accept`)).status).toBe(503);
    broker.publish = publish;
    expect(await causesOf(id)).toMatchObject([{ cause: 'mended' }]);
    expect((await asAdmin('post', `/${id}/accept`)).status).toBe(200);
  });
});

it('of a path that is not there, no more is said back than its first part', async () => {
  await start({});
  const client = new Client(gateway.url);
  const said = async (path: string): Promise<string> => {
    const { body } = await client.request({ path, method: 'PUT' });
    return ((await body.json()) as { detail: string }).detail;
  };
  const token = 'A'.repeat(43);
  for (const path of ['/in/', '/In/', '/hooks/in/', '/%69n/', '//in/', '/wh/x/']) {
    expect(await said(`${path}${token}?token=${token}`)).toMatch(/^There is no PUT \/[\w%*]*\/\*\*\*$/);
  }
  expect(await said('/facebook?token=x')).toBe('There is no PUT /facebook');
  expect(await said('/api/v1/evnts')).toBe('There is no PUT /api/v1/evnts');
  await client.close();
});

describe('bounds', () => {
  it('let so many diagnoses begin in a minute', async () => {
    await start(WRONG);
    await post('{}');
    const id = await refused('signature_invalid');
    const answers = [];
    for (let i = 0; i < 61; i++) answers.push(await asAdmin('get', `/${id}/diagnosis`));
    expect(answers.slice(0, 60).every(({ status }) => status === 200)).toBe(true);
    expect(answers[60]?.body).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(Number(answers[60]?.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('let two diagnoses be under way at once', async () => {
    await start(WRONG);
    await post(`"${'x'.repeat(1_000_000)}"`);
    const id = await refused('signature_invalid');
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await asAdmin('get', `/${id}/diagnosis`)).status));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(2);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(1);
  });
});
