import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { Webhook } from 'standardwebhooks';
import { ROOT } from '../support/build';
import { ENGINE_SETS, type Engines, acquireEngines } from '../support/engines';
import { eventually } from '../support/eventually';
import { ADMIN_KEY, Gateway } from '../support/gateway';
import { type Received, Receiver } from '../support/receiver';

const run = promisify(execFile);
const newKey = (): string => randomBytes(32).toString('base64');

describe.each(ENGINE_SETS)('secrets on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let receiver: Receiver;

  beforeEach(async () => {
    [engines, receiver] = await Promise.all([acquireEngines(set), Receiver.start()]);
  });
  afterEach(async () => {
    await gateway?.remove();
    await receiver?.stop();
    await engines?.release();
  });

  /** Everything in the database, as text; every byte of the data folder. */
  const everythingKept = async (): Promise<string> => {
    // With RabbitMQ and PostgreSQL nothing is kept here at all.
    const files = (existsSync(gateway.dataFolder) ? readdirSync(gateway.dataFolder) : []).filter((name) => name !== 'secrets.key');
    const bytes = files.map((name) => readFileSync(join(gateway.dataFolder, name), 'latin1')).join('\n');
    if (engines.options.databaseUrl === undefined) return bytes;
    const client = new Client({ connectionString: engines.options.databaseUrl });
    await client.connect();
    const { rows: tables } = await client.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
    );
    const texts: string[] = [bytes];
    for (const { name } of tables) {
      const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
      texts.push(...rows.map((row) => row.text));
    }
    await client.end();
    return texts.join('\n');
  };
  const publish = (message: unknown = {}): Promise<unknown> =>
    gateway.must(202, 'POST', '/api/v1/events', { application: 'a', eventType: 'b', message });
  const arrived = (count: number): Promise<true> => eventually(`${count} have arrived`, () => receiver.received.length >= count);

  it('are nowhere to be found: not in files, tables, logs, nor answers', async () => {
    gateway = await Gateway.ready({ ...engines.options, env: { LOG_LEVEL: 'trace' } });
    const hidden = { password: 'the-hidden-password', token: 'the-hidden-token', header: 'the-hidden-header' };
    const answers: string[] = [];
    const call = async (method: string, path: string, body?: object) => {
      const answer = await gateway.call(method, path, body);
      answers.push(JSON.stringify(answer.body));
      return answer;
    };
    const headers = { 'X-Api-Key': hidden.header };
    const basic = await gateway.subscribe(receiver.url, { headers, auth: { type: 'basic', username: 'u', password: hidden.password } });
    const bearer = await gateway.subscribe(receiver.url, { auth: { type: 'bearer', token: hidden.token } });
    const path = `/api/v1/endpoints/${basic.id}`;
    const rotated = await gateway.must(200, 'POST', `${path}/rotate-secret`);
    receiver.secrets = [basic.secret, bearer.secret];
    receiver.answer = (_, count) => ({ status: count === 1 ? 500 : 204, body: 'no' });
    await publish();
    await arrived(2);

    await call('PATCH', path, { name: 'again', headers: { 'X-Api-Key': '***', 'X-Team': 'a' } });
    await call('PATCH', path, { auth: { type: 'basic', username: 'u', password: `${hidden.password}\r\n` } });
    await call('PATCH', path, { headers: { 'X-Api-Key': `${hidden.header}\r\n` } });
    await call('POST', `${path}/rotate-secret`, { secret: `${rotated.secret}!` });
    await call('POST', `${path}/disable`);
    await call('POST', `${path}/enable`);
    for (const each of [
      path,
      '/api/v1/endpoints',
      '/api/v1/filters',
      '/api/v1/events',
      '/api/v1/deliveries',
      '/api/v1/requests',
      '/metrics',
    ]) {
      expect((await call('GET', each)).status).toBe(200);
    }
    await eventually('the change is used', async () => {
      receiver.clear();
      await publish();
      await arrived(2);
      return receiver.received.some((request) => request.headers['x-team'] === 'a' && request.headers['x-api-key'] === hidden.header);
    });

    const secrets = [basic.secret, bearer.secret, rotated.secret as string];
    const encoded = Buffer.from(`u:${hidden.password}`).toString('base64');
    const needles = [...Object.values(hidden), encoded, ...secrets, ...secrets.map((secret) => secret.slice('whsec_'.length))];
    const running = await everythingKept();
    await gateway.terminate();
    const places = { running, ended: await everythingKept(), log: gateway.log, answers: answers.join('\n') };
    for (const [place, text] of Object.entries(places)) {
      expect(text.length).toBeGreaterThan(100);
      for (const needle of needles) expect(`${place}: ${String(text.includes(needle))} ${needle}`).toBe(`${place}: false ${needle}`);
    }
    expect(running).toContain('enc:v1:');
  });

  it('rotate under 50 events a second: whoever has either secret can verify, and afterwards only the new one', async () => {
    gateway = await Gateway.ready(engines.options);
    const { id, secret: old } = await gateway.subscribe(receiver.url);
    let published = 0;
    const failures: unknown[] = [];
    const timer = setInterval(() => {
      published += 1;
      publish({ n: published }).catch((error: unknown) => failures.push(error));
    }, 20);
    try {
      await arrived(50);
      const until = Date.now() + 4_000;
      const { secret } = await gateway.must(200, 'POST', `/api/v1/endpoints/${id}/rotate-secret`, {
        previousSecretUntil: new Date(until).toISOString(),
      });
      const rotatedAt = Date.now();
      await eventually('fifty came after the window', () => receiver.received.filter((each) => each.at > until + 1_000).length > 50);
      clearInterval(timer);
      await gateway.settled();

      const within = receiver.received.filter((each) => each.at < until);
      expect(within.filter((each) => !verifies(each, old))).toEqual([]);
      // An attempt that was signed just before is under way for less than a second here.
      const since = receiver.received.filter((each) => each.at > rotatedAt + 1_000);
      expect(since.filter((each) => !verifies(each, secret as string))).toEqual([]);
      expect(since.filter((each) => each.at < until).length).toBeGreaterThan(50);
      const after = receiver.received.filter((each) => each.at > until + 1_000);
      expect(after.filter((each) => verifies(each, old) || String(each.headers['webhook-signature']).includes(' '))).toEqual([]);
      expect({ failures, received: receiver.received.length }).toEqual({ failures: [], received: published });
    } finally {
      clearInterval(timer);
    }
  });

  it('get another key while the gateway runs, and then the old one may go', async () => {
    const [old, key] = [newKey(), newKey()];
    const reencrypt = (keys: string) =>
      run(process.execPath, [join(ROOT, 'dist', 'reencrypt-secrets.js')], {
        env: {
          DATA_DIR: gateway.dataFolder,
          SECRETS_ENCRYPTION_KEYS: keys,
          ...(engines.options.databaseUrl !== undefined && { DATABASE_URL: engines.options.databaseUrl }),
        },
      }).catch((error: { stdout: string; stderr: string; code: number }) => error);
    gateway = await Gateway.ready({ ...engines.options, env: { SECRETS_ENCRYPTION_KEYS: old } });
    const { secret } = await gateway.subscribe(receiver.url, { headers: { 'x-token': 'kept' } });
    receiver.secrets = [secret];
    expect(await reencrypt(`${key},${old}`)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('No gateway on this database has the key'),
    });

    await gateway.terminate();
    gateway.start({ SECRETS_ENCRYPTION_KEYS: `${key},${old}` });
    await gateway.becomesReady();
    await publish();
    const done = await reencrypt(`${key},${old}`);
    expect(done.stdout).toContain('1 endpoints, identities and sessions sealed anew. No other key is needed any more');
    expect((await reencrypt(`${key},${old}`)).stdout).toContain('Done: 0 endpoints, identities and sessions sealed anew');
    await publish();
    await arrived(2);
    await gateway.terminate();

    gateway.start({ SECRETS_ENCRYPTION_KEYS: old });
    expect(await gateway.ends()).toMatchObject({ code: 1 });
    expect(gateway.log).toContain('Set SECRETS_ENCRYPTION_KEYS to the keys that the other processes have');

    gateway.start({ SECRETS_ENCRYPTION_KEYS: key });
    await gateway.becomesReady();
    await publish();
    await arrived(3);
    expect(receiver.received.filter((each) => !each.verified || each.headers['x-token'] !== 'kept')).toEqual([]);
    for (const text of [gateway.log, done.stdout]) for (const each of [old, key]) expect(text).not.toContain(each);
  });
});

describe('a process of its own database', () => {
  it('refuses keys that are none, without showing them', async () => {
    const gateway = await Gateway.launch({ env: { SECRETS_ENCRYPTION_KEYS: 'not-a-key-at-all' } });
    expect(await gateway.ends()).toMatchObject({ code: 78 });
    expect(gateway.log).toContain('secrets.encryptionKeys');
    expect(gateway.log).not.toContain('not-a-key-at-all');
    await gateway.remove();
  });
});

it('two replicas with the same ADMIN_KEY and folders of their own sign with the same secrets', async () => {
  const [engines, receiver] = await Promise.all([acquireEngines('rabbitmq and postgres'), Receiver.start()]);
  const [first, second] = await Promise.all([Gateway.ready(engines.options), Gateway.ready(engines.options)]);
  const { secret } = await first.subscribe(receiver.url);
  receiver.secrets = [secret];
  await eventually('both deliver', async () => {
    for (const gateway of [first, second]) {
      await gateway.must(202, 'POST', '/api/v1/events', { application: 'a', eventType: 'b', message: {} });
    }
    return receiver.received.length >= 10;
  });
  expect(receiver.received.filter((each) => !each.verified)).toEqual([]);
  expect([existsSync(first.dataFolder), existsSync(second.dataFolder)]).toEqual([false, false]);
  const stranger = await Gateway.launch({ ...engines.options, env: { ADMIN_KEY: `${ADMIN_KEY}-of-another` } });
  expect(await stranger.ends()).toMatchObject({ code: 1 });
  expect(stranger.log).toContain('or the ADMIN_KEY that was set before');
  await Promise.all([first.remove(), second.remove(), stranger.remove(), receiver.stop()]);
  await engines.release();
});

function verifies({ body, headers }: Received, secret: string): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}
