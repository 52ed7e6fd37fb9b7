import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../src/config/load-config';
import { eventually } from '../support/eventually';
import { acquireDatabase, startPrivatePostgres } from '../support/services/services';
import { type AuthApp, startAuthApp } from './auth-app';

interface Place {
  env: NodeJS.ProcessEnv;
  release(): Promise<void>;
}

async function sqlitePlace(): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hookline-auth-'));
  return { env: { DATA_DIR: dataDir }, release: () => rm(dataDir, { recursive: true, force: true }) };
}

async function postgresPlace(): Promise<Place> {
  const database = await acquireDatabase();
  return { env: { DATABASE_URL: database.url }, release: () => database.release() };
}

describe.each([
  { engine: 'sqlite', newPlace: sqlitePlace },
  { engine: 'postgres', newPlace: postgresPlace },
])('API keys on $engine', ({ newPlace }) => {
  let place: Place;
  let app: AuthApp;
  let admin: string;

  beforeAll(async () => {
    place = await newPlace();
    app = await startAuthApp(place.env);
    admin = app.firstRunKey ?? '';
  });

  afterAll(async () => {
    await app?.close();
    await place?.release();
  });

  const newKey = async (body: object, by = admin) => {
    const { status, body: made } = await app.ask('POST', '/api/v1/keys', by, body);
    expect(status).toBe(201);
    return made as unknown as { id: string; key: string; accountId: string | null };
  };

  it('makes one admin key at the first boot and none at the next', async () => {
    expect(admin).toMatch(/^hk_[\w-]{43}$/);
    expect((await app.whoami(admin)).body).toMatchObject({ accountId: null });
    const again = await startAuthApp(place.env);
    expect(again.firstRunKey).toBeUndefined();
    expect((await again.whoami(admin)).status).toBe(200);
    await again.close();
  });

  it('makes one admin key when several processes boot first at once', async () => {
    const other = await newPlace();
    const apps = await Promise.all([startAuthApp(other.env), startAuthApp(other.env), startAuthApp(other.env)]);
    expect(apps.filter((one) => one.firstRunKey !== undefined)).toHaveLength(1);
    for (const one of apps) await one.close();
    await other.release();
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['an unknown one', 'hk_unknown'],
    ['two', 'hk_one hk_two'],
    ['a very long one', 'x'.repeat(600)],
  ])('refuses a request with a bad key with 401: %s', async (_, key) => {
    const { status, body } = await app.ask('GET', '/whoami', key);
    expect([status, body['code']]).toEqual([401, 'unauthorized']);
  });

  it('keeps no key in the database, only hashes', async () => {
    const { key } = await newKey({ name: 'for the dump' });
    const dump = JSON.stringify(
      await Promise.all([
        app.storage.db.selectFrom('api_keys').selectAll().execute(),
        app.storage.db.selectFrom('meta').selectAll().execute(),
      ]),
    );
    expect(dump).toContain('for the dump');
    expect(dump).not.toContain(key);
    expect(dump).not.toContain(admin);
  });

  it('shows a key once and gives it its account: the default one, or one that appears with it', async () => {
    const { key, ...own } = await newKey({ name: 'mine' });
    expect(own).toMatchObject({ accountId: 'default', admin: false, name: 'mine', prefix: key.slice(0, 11) });
    expect((await app.ask('GET', `/api/v1/keys/${own.id}`, admin)).body).toEqual(own);
    const { accountId } = await newKey({ accountId: 'appears' });
    expect(accountId).toBe('appears');
    const accounts = await app.storage.db.selectFrom('accounts').select('id').where('id', '=', 'appears').execute();
    expect(accounts).toHaveLength(1);
  });

  it('lets an account key see, make and revoke keys of its own account only', async () => {
    const mine = await newKey({ accountId: 'a' });
    const others = await newKey({ accountId: 'b' });
    expect((await newKey({}, mine.key)).accountId).toBe('a');
    const { body } = await app.ask('GET', '/api/v1/keys', mine.key);
    expect(body.data.map((key) => key['accountId'])).toEqual(['a', 'a']);
    for (const [method, path, payload, status] of [
      ['GET', `/api/v1/keys/${others.id}`, undefined, 404],
      ['DELETE', `/api/v1/keys/${others.id}`, undefined, 404],
      ['PATCH', `/api/v1/keys/${others.id}`, { name: 'x' }, 404],
      ['GET', '/api/v1/keys/no-id', undefined, 404],
      ['POST', '/api/v1/keys', { accountId: 'b' }, 404],
      ['POST', '/api/v1/keys', { admin: true }, 403],
    ] as const) {
      expect([method, path, (await app.ask(method, path, mine.key, payload)).status]).toEqual([method, path, status]);
    }
    expect((await app.whoami(others.key)).status).toBe(200);
  });

  it('lets an admin key make admin keys', async () => {
    const { key } = await newKey({ admin: true });
    expect((await app.whoami(key)).body).toMatchObject({ accountId: null });
    expect((await app.ask('POST', '/api/v1/keys', admin, { admin: true, accountId: 'a' })).status).toBe(422);
  });

  it.each([{ accountId: 'no spaces' }, { accountId: 5 }, { name: 'a\u0000' }, { admin: 'yes' }, { unknown: 1 }, []])(
    'refuses to make a key of %j with 422',
    async (body) => {
      expect((await app.ask('POST', '/api/v1/keys', admin, body)).status).toBe(422);
    },
  );

  it('lists keys page by page, without those that were revoked', async () => {
    for (let i = 0; i < 3; i++) await newKey({ accountId: 'paged', name: `${i}` });
    const { key, id } = await newKey({ accountId: 'paged', name: 'gone' });
    const last = await newKey({ accountId: 'paged', name: 'last' });
    expect((await app.ask('DELETE', `/api/v1/keys/${id}`, key)).status).toBe(204);
    const names: unknown[] = [];
    for (let cursor = ''; ;) {
      const { body } = await app.ask('GET', `/api/v1/keys?limit=2${cursor}`, last.key);
      names.push(...body.data.map((entry) => entry['name']));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(names).toEqual(['0', '1', '2', 'last']);
  });

  it('renames a key', async () => {
    const { id } = await newKey({ name: 'before' });
    expect((await app.ask('PATCH', `/api/v1/keys/${id}`, admin, { name: 'after' })).body).toMatchObject({ id, name: 'after' });
  });

  it('refuses a revoked key at once here and soon in other processes, and takes a new one at once', async () => {
    const other = await startAuthApp(place.env);
    const { id, key } = await newKey({ accountId: 'revoking' });
    expect((await app.whoami(key)).status).toBe(200);
    expect((await other.whoami(key)).status).toBe(200);
    expect((await app.ask('DELETE', `/api/v1/keys/${id}`, admin)).status).toBe(204);
    expect((await app.whoami(key)).status).toBe(401);
    await eventually('the other process refuses the key', async () => (await other.whoami(key)).status === 401, { deadlineMs: 1_000 });
    expect((await app.ask('DELETE', `/api/v1/keys/${id}`, admin)).status).toBe(404);
    await other.close();
  });

  it('asks the database once for a key, known or not', async () => {
    const { key } = await newKey({});
    for (const asked of [key, 'hk_nobody']) {
      await app.whoami(asked);
      await app.storage.db.updateTable('api_keys').set({ account_id: 'moved' }).where('account_id', '=', 'default').execute();
      expect((await app.whoami(asked)).body['accountId']).toBe(asked === key ? 'default' : undefined);
    }
  });
});

describe('the admin key of the settings', () => {
  const CONFIGURED = 'a configured admin key of 32 characters or more'.replaceAll(' ', '-');

  it('opens everything, and no other is made', async () => {
    const place = await sqlitePlace();
    const app = await startAuthApp({ ...place.env, ADMIN_KEY: CONFIGURED });
    expect(app.firstRunKey).toBeUndefined();
    expect((await app.whoami(CONFIGURED)).body).toEqual({ keyId: 'admin', accountId: null });
    for (const wrong of [CONFIGURED.slice(0, -1), `${CONFIGURED}x`, CONFIGURED.toUpperCase()]) {
      expect((await app.whoami(wrong)).status).toBe(401);
    }
    expect(await app.storage.db.selectFrom('api_keys').selectAll().execute()).toEqual([]);
    await app.close();
    await place.release();
  });

  it('of fewer than 32 characters is a wrong setting, told without the key', () => {
    const load = () => loadConfig({ ADMIN_KEY: 'short-secret' });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/auth\.adminKey.*ADMIN_KEY.*32/);
    expect(load).not.toThrow(/short-secret/);
  });
});

describe('the first boot while PostgreSQL is away', () => {
  it('answers 503, and makes and announces the admin key when it is back', async () => {
    const server = await startPrivatePostgres();
    await server.stop();
    const app = await startAuthApp({ DATABASE_URL: server.url });
    const announced: string[] = [];
    app.adminKey.onFirstRunKey((key) => announced.push(key));
    const { status, body } = await app.whoami('hk_any');
    expect([status, body['code']]).toEqual([503, 'storage_unavailable']);
    expect(announced).toEqual([]);
    await server.start();
    const key = await eventually('the key is announced', () => announced[0]);
    expect((await app.whoami(key)).status).toBe(200);
    await app.close();
    await server.remove();
  });
});
