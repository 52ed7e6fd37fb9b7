import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import { Broker } from '../../src/broker/broker';
import { DoorRegistry } from '../../src/http/door';
import { findPreset } from '../../src/presets/presets';
import { eventually } from '../support/eventually';
import { batchOf, signatureOf } from '../support/facebook-sender';
import { ADMIN_KEY, APP_SECRET } from '../support/gateway';
import { type FacebookApp, startFacebookApp } from './facebook-app';

const OFF = { HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: 'false' };

let gateway: FacebookApp;
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hookline-doctor-'));
});
afterEach(async () => {
  await gateway.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const start = async (env: NodeJS.ProcessEnv): Promise<void> => {
  gateway = await startFacebookApp({ ...OFF, DATA_DIR: dataDir, ...env });
};
const restart = async (env: NodeJS.ProcessEnv): Promise<void> => {
  await gateway.close();
  await start(env);
};

const asAdmin = (method: 'get' | 'post', path: string): request.Test =>
  request(gateway.url)[method](`/api/v1/requests${path}`).set('authorization', `Bearer ${ADMIN_KEY}`);
const post = (body: string, signature: string, headers: Record<string, string> = {}): request.Test =>
  request(gateway.url)
    .post('/facebook?token=in-the-query')
    .set({ 'content-type': 'application/json', 'x-hub-signature-256': signature, ...headers })
    .send(body);
const depth = async (): Promise<number> => (await gateway.app.get(Broker, { strict: false }).depth('webhooks.facebook.default')).messages;

const refused = async (count = 1): Promise<string> =>
  eventually('it is listed', async () => {
    const { data } = (await asAdmin('get', '?outcome=rejected')).body as { data: { id: string }[] };
    expect(data).toHaveLength(count);
    return data[0]!.id;
  });

describe('accepting', () => {
  it('takes a request in once the setting is right, and only once', async () => {
    await start({ HOOK_SERVER_FACEBOOK_APP_SECRET: 'a-wrong-secret' });
    const body = batchOf(['m1']);
    expect((await post(body, signatureOf(body))).status).toBe(401);
    const id = await refused();
    expect((await asAdmin('post', `/${id}/accept`)).body).toMatchObject({ status: 422, code: 'still_refused' });

    await restart({ HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET });
    const [one, other] = await Promise.all([asAdmin('post', `/${id}/accept`), asAdmin('post', `/${id}/accept`)]);
    expect([one.status, other.status].sort()).toEqual([200, 409]);
    expect((await asAdmin('post', `/${id}/accept`)).body).toMatchObject({ status: 409, code: 'conflict' });
    expect(await depth()).toBe(1);
    const { data } = (await asAdmin('get', '?outcome=accepted')).body;
    expect(data).toMatchObject([{ id, outcome: 'accepted', acceptedAt: expect.stringMatching(/Z$/) }]);
  });

  it('refuses what was not kept whole', async () => {
    await start({ HOOK_SERVER_FACEBOOK_APP_SECRET: 'a-wrong-secret', REFUSALS_MAX_BODY_BYTES: '10' });
    await post(batchOf(['m1']), signatureOf('x'));
    const id = await refused();
    expect((await asAdmin('get', `/${id}`)).body).toMatchObject({ bodyComplete: false, body: '{"object":' });
    expect((await asAdmin('post', `/${id}/accept`)).body).toMatchObject({ status: 422, code: 'request_incomplete' });
  });

  it('keeps what is secret sealed, and is for admins', async () => {
    await start({ HOOK_SERVER_FACEBOOK_APP_SECRET: 'a-wrong-secret' });
    await post('{}', 'sha256=of-the-signature', { authorization: 'Bearer of-the-header' });
    const id = await refused();
    const shown = JSON.stringify((await asAdmin('get', `/${id}`)).body) + JSON.stringify((await asAdmin('get', `/${id}/diagnosis`)).body);
    expect(shown).not.toMatch(/in-the-query|of-the-signature|of-the-header/);
    const files = readdirSync(dataDir).filter((name) => name.startsWith('hookline.db'));
    const stored = Buffer.concat(files.map((name) => readFileSync(join(dataDir, name)))).toString('latin1');
    expect(stored).toContain(id);
    expect(stored).not.toMatch(/in-the-query|of-the-signature|of-the-header/);

    const admin = { authorization: `Bearer ${ADMIN_KEY}` };
    const { body: key } = await request(gateway.url).post('/api/v1/keys').set(admin).send({ accountId: 'shop' });
    for (const [method, path] of [['get', 'diagnosis'] as const, ['post', 'accept'] as const]) {
      const target = `/api/v1/requests/${id}/${path}`;
      const answer = await request(gateway.url)
        [method](target)
        .set('authorization', `Bearer ${String(key.key)}`);
      expect([path, answer.status]).toEqual([path, key.key === undefined ? 401 : 403]);
    }
  });
});

describe('bounds', () => {
  it('keep a flood at one source from pushing out the refusals of others', async () => {
    await start({ HOOK_SERVER_FACEBOOK_APP_SECRET: 'a-wrong-secret', REFUSALS_MAX_ROWS_PER_SOURCE: '20' });
    const doors = gateway.app.get(DoorRegistry, { strict: false });
    const describeAs = (source: string): void =>
      doors.register('facebook', { isEnabled: () => true, missingSetting: () => undefined, describe: () => ({ source, path: '/***' }) });
    describeAs('in:quiet');
    await post('{}', signatureOf('quiet'));
    await refused();
    describeAs('in:loud');
    for (let i = 0; i < 60; i++) await post('{}', signatureOf(String(i)));
    await eventually('only the newest are left', async () => {
      const { data } = (await asAdmin('get', '?source=in:loud&limit=200')).body as { data: unknown[] };
      expect(data.length).toBeGreaterThan(10);
      expect(data.length).toBeLessThanOrEqual(22);
      return true;
    });
    expect((await asAdmin('get', '?source=in:quiet')).body.data).toMatchObject([{ path: '/***' }]);
  });
});

describe('diagnosis', () => {
  const SECRET = 'a-secret-of-the-hmac-source';
  const hex = (body: string, secret: string | Buffer = SECRET): string => createHmac('sha256', secret).update(body).digest('hex');

  /** The channel's door, whose check is described by other settings of ours. */
  async function diagnosisOf(sent: string, signature: string, own = SECRET): Promise<{ causes: Record<string, unknown>[]; tried: number }> {
    await start({});
    const preset = findPreset('github')!;
    const check = (source: string, secret: string) => ({
      source,
      title: `the source "${source}"`,
      preset,
      settings: { secrets: [secret] },
      context: { publicUrl: null },
      secretSetting: `verification.secrets of ${source}`,
    });
    gateway.app.get(DoorRegistry, { strict: false }).register('facebook', {
      isEnabled: () => true,
      missingSetting: () => undefined,
      checks: () => [check('facebook', own), check('other', 'the-secret-of-another-source')],
    });
    await post(sent, signature);
    const { status, body } = await asAdmin('get', `/${await refused()}/diagnosis`);
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toMatch(/a-secret-of-the-hmac|the-secret-of-another|[0-9a-f]{64}/);
    return body;
  }

  const BODY = '{"name":"Zoë","url":"https://example.com/a"}';

  it.each<[string, string, () => string, string, string?]>([
    ['white space around our secret', BODY, () => `sha256=${hex(BODY)}`, 'secret_whitespace', `${SECRET}\n`],
    ['a line break at the end of theirs', BODY, () => `sha256=${hex(BODY, `${SECRET}\n`)}`, 'secret_whitespace'],
    ['a prefix that is kept here', BODY, () => `sha256=${hex(BODY)}`, 'secret_prefix', `whsec_${SECRET}`],
    ['a prefix that is missing here', BODY, () => `sha256=${hex(BODY, `whsec_${SECRET}`)}`, 'secret_prefix'],
    ['a secret that is base64', BODY, () => `sha256=${hex(BODY, Buffer.from('key of bytes'))}`, 'secret_encoding', 'a2V5IG9mIGJ5dGVz'],
    ['base64 for hex', BODY, () => `sha256=${createHmac('sha256', SECRET).update(BODY).digest('base64')}`, 'signature_encoding'],
    ['no prefix', BODY, () => hex(BODY), 'signature_encoding'],
    ['another hash', BODY, () => `sha256=${createHmac('sha512', SECRET).update(BODY).digest('hex')}`, 'signature_algorithm'],
    ['another source’s secret', BODY, () => `sha256=${hex(BODY, 'the-secret-of-another-source')}`, 'other_source_secret'],
    ['JSON that was indented', BODY, () => `sha256=${hex(JSON.stringify(JSON.parse(BODY), null, 2))}`, 'body_reserialised'],
    ['JSON that was escaped', BODY, () => `sha256=${hex(BODY.replace('ë', '\\u00eb').replaceAll('/', '\\/'))}`, 'body_reserialised'],
    ['JSON with spaces', BODY, () => `sha256=${hex('{"name": "Zoë", "url": "https://example.com/a"}')}`, 'body_reserialised'],
    ['a lost line feed', BODY, () => `sha256=${hex(`${BODY}\n`)}`, 'body_reserialised'],
    ['lost CRLFs', '{\n}', () => `sha256=${hex('{\r\n}')}`, 'body_reserialised'],
  ])('finds %s', async (_what, sent, signature, cause, own) => {
    const { causes } = await diagnosisOf(sent, signature(), own);
    expect(causes).toMatchObject([{ cause, certain: true, acceptable: cause === 'body_reserialised' }]);
  });

  it('says what was tried where nothing fits', async () => {
    const { causes, tried } = await diagnosisOf(BODY, `sha256=${hex('something else')}`);
    expect(causes).toEqual([]);
    expect(tried).toBeGreaterThan(30);
  });
});
