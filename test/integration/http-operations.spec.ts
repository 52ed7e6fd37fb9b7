import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { AuthModule } from '../../src/auth/auth.module';
import { Broker, type BrokerStatus, type Consumption, type QueueDepth } from '../../src/broker/broker';
import { HttpConfig } from '../../src/config/app.config';
import { loadConfig } from '../../src/config/load-config';
import { useSettings } from '../../src/config/provide-config';
import { GatewayError } from '../../src/core/errors';
import { HealthModule } from '../../src/health/health.module';
import { Draining } from '../../src/http/draining';
import { newId } from '../../src/core/ids';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from '../../src/http/http-app';
import { serveOpenApi } from '../../src/http/openapi';
import { ShellModule } from '../../src/http/shell.module';
import { LEDGER_CHECK } from '../../src/ledger/ledger-check.service';
import { Metrics } from '../../src/metrics/metrics.service';
import { RefusalsService } from '../../src/refusals/refusals.service';
import { shutDown } from '../../src/shutdown';
import { RegistryVersion, bumpRegistryVersion } from '../../src/storage/registry-version';
import { Storage } from '../../src/storage/storage';
import { sampleDelivery } from '../conformance/storage/sample-rows';
import { eventually } from '../support/eventually';
import { type EndpointRow, endpointRow } from '../support/registry-rows';

const ADMIN_KEY = 'an-admin-key-for-tests-of-32-characters';

/** A broker that is as well as the test says; a depth may never come. */
class StatedBroker extends Broker {
  state: BrokerStatus = { ready: true };
  depthOf: (queue: string) => Promise<QueueDepth> = () => Promise.resolve({ messages: 0, consumers: 0 });

  publish(): Promise<void> {
    return Promise.resolve();
  }
  consume(): Promise<Consumption> {
    const nothing = (): Promise<void> => Promise.resolve();
    return Promise.resolve({ pause: nothing, resume: nothing, stop: nothing });
  }
  findUntoldDead(): Promise<number> {
    return Promise.resolve(0);
  }
  depth(queue: string): Promise<QueueDepth> {
    return this.depthOf(queue);
  }
  status(): BrokerStatus {
    return this.state;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

let app: NestFastifyApplication;
let broker: StatedBroker;
let dataDir: string;
let url: string;

async function start(env: NodeJS.ProcessEnv = {}): Promise<void> {
  dataDir = mkdtempSync(join(tmpdir(), 'hookline-operations-'));
  const settings = loadConfig({ DATA_DIR: dataDir, ADMIN_KEY, ...env });
  useSettings(settings);
  broker = new StatedBroker();
  const module = await Test.createTestingModule({ imports: [ShellModule, AuthModule, HealthModule] })
    .overrideProvider(Broker)
    .useValue(broker)
    .compile();
  app = module.createNestApplication<NestFastifyApplication>(httpAdapter(settings.section(HttpConfig)), {
    ...HTTP_APP_OPTIONS,
    logger: false,
  });
  configureHttp(app);
  serveOpenApi(app, '1.2.3');
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
}

afterEach(async () => {
  await app.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const asAdmin = (path: string): request.Test => request(url).get(path).set('authorization', `Bearer ${ADMIN_KEY}`);

describe('probes', () => {
  it('are well when all is well', async () => {
    await start();
    expect((await request(url).get('/health/live')).body).toEqual({ status: 'ok' });
    const ready = await request(url).get('/health/ready');
    expect([ready.status, ready.body.status]).toEqual([200, 'ok']);
  });

  it('are live and not ready while the broker is away, and say why', async () => {
    await start();
    broker.state = { ready: false, reason: 'connection blocked' };
    expect((await request(url).get('/health/live')).status).toBe(200);
    const ready = await request(url).get('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.body.error).toEqual({ broker: { status: 'down', reason: 'connection blocked' } });
  });

  it('are not ready while the embedded storage is away', async () => {
    await start();
    app.get(Storage, { strict: false }).probe = () => Promise.resolve(false);
    const ready = await request(url).get('/health/ready');
    expect([ready.status, ready.body.error.storage.status]).toEqual([503, 'down']);
  });

  it('are not ready while draining, and answers close their connections', async () => {
    await start();
    app.get(Draining).start();
    const ready = await request(url).get('/health/ready').set('connection', 'keep-alive');
    expect([ready.status, ready.body.error.process.status, ready.headers['connection']]).toEqual([503, 'down', 'close']);
  });
});

describe('metrics', () => {
  it('are Prometheus text with depths and the age of what is owed', async () => {
    await start();
    broker.depthOf = (queue) => Promise.resolve({ messages: queue === 'webhooks.facebook.default' ? 7 : 0, consumers: 0 });
    const { status, headers, text } = await request(url).get('/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(text).toContain('hookline_queue_depth{queue="webhooks.facebook.default"} 7');
    expect(text).toContain('hookline_queue_depth{queue="webhooks.facebook.default.dead"} 0');
  });

  it('tell what is owed from what is frozen', async () => {
    await start();
    const storage = app.get(Storage, { strict: false });
    const [enabled, disabled] = [endpointRow(), endpointRow({ enabled: 0, disabled_reason: 'manual' })];
    await storage.insertMany(storage.db, 'endpoints', [enabled, disabled]);
    await storage.transaction((trx) => bumpRegistryVersion(trx));
    await app.get(RegistryVersion, { strict: false }).changed();
    const now = Date.now();
    const owe = (endpoint: EndpointRow, dueAt: number, leaseUntil: number | null = null): Promise<void> =>
      storage.insertMany(storage.db, 'deliveries', [
        {
          ...sampleDelivery(),
          id: newId(),
          endpoint_id: endpoint.id,
          status: 'pending',
          next_attempt_at: dueAt,
          leased_by: leaseUntil === null ? null : newId(),
          lease_until: leaseUntil,
        },
      ]);
    await owe(enabled, now + 3_600_000);
    await owe(enabled, now - 60_000, now + 60_000);
    await owe(disabled, now - 600_000);
    const gauge = async (name: string): Promise<number> => {
      const { text } = await request(url).get('/metrics');
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    };
    const owed = await gauge('hookline_oldest_undelivered_age_seconds');
    expect(owed).toBeGreaterThanOrEqual(60);
    expect(owed).toBeLessThan(600);
    expect(await gauge('hookline_oldest_frozen_age_seconds')).toBeGreaterThanOrEqual(600);
    await owe(enabled, now - 90_000);
    await eventually('it is asked again', async () => (await gauge('hookline_oldest_undelivered_age_seconds')) >= 90);
  });

  it('say whether the ledger is in balance', async () => {
    await start();
    const state = JSON.stringify({ checkedAt: 1, sources: ['events', 'facebook'], differences: [], alarmed: ['facebook'] });
    const { db } = app.get(Storage, { strict: false });
    await db.insertInto('chores').values({ name: LEDGER_CHECK.name, held_by: null, held_until: null, next_at: 0, state }).execute();
    const { text } = await request(url).get('/metrics');
    expect(text).toContain('hookline_ledger_imbalance{source="facebook"} 1');
    expect(text).toContain('hookline_ledger_imbalance{source="events"} 0');
  });

  it('leave out what a broker that is away cannot say', async () => {
    await start();
    broker.depthOf = () => Promise.reject(new GatewayError('broker_unavailable'));
    const { status, text } = await request(url).get('/metrics');
    expect(status).toBe(200);
    expect(text).not.toContain('hookline_queue_depth{');
    expect(text).toContain('hookline_oldest_undelivered_age_seconds 0');
  });

  it('do not wait for a broker that never answers', async () => {
    await start();
    broker.depthOf = () => new Promise(() => undefined);
    const { status, text } = await request(url).get('/metrics').timeout(20_000);
    expect(status).toBe(200);
    expect(text).not.toContain('hookline_queue_depth{');
  });

  it('ask for a key where that is set', async () => {
    await start({ METRICS_REQUIRE_KEY: 'true' });
    expect((await request(url).get('/metrics')).body).toMatchObject({ status: 401, code: 'unauthorized' });
    expect((await asAdmin('/metrics')).status).toBe(200);
  });
});

describe('refused requests', () => {
  it('are listed newest first, by source and code, page by page', async () => {
    await start();
    const refusals = app.get(RefusalsService, { strict: false });
    const [first, second, third] = [newId(), newId(), newId()];
    for (const [requestId, source, code] of [
      [first, 'facebook', 'signature_invalid'],
      [second, 'other', 'signature_invalid'],
      [third, 'facebook', 'body_too_large'],
    ] as const) {
      refusals.record(refusal({ requestId, source, code, body: Buffer.from([0xff]) }));
    }
    const cursor = await eventually('they are listed', async () => {
      const { body } = await asAdmin('/api/v1/requests?outcome=rejected&limit=2');
      expect(body.data).toMatchObject([{ id: third, requestId: third }, { requestId: second }]);
      return String(body.nextCursor);
    });
    const last = (await asAdmin(`/api/v1/requests?limit=2&cursor=${cursor}`)).body;
    expect(last).toMatchObject({ data: [{ requestId: first }], nextCursor: null });
    const filtered = (await asAdmin('/api/v1/requests?source=facebook&code=signature_invalid')).body;
    expect(filtered.data).toMatchObject([{ requestId: first, at: expect.stringMatching(/^\d{4}-.*Z$/) }]);
    const one = await asAdmin(`/api/v1/requests/${first}`);
    expect(one.body).toMatchObject({ requestId: first, headers: { 'x-plain': 'kept' }, body: null, bodyBase64: '/w==' });
  });

  it('are for admin keys, and unknown ones are 404', async () => {
    await start();
    expect((await request(url).get('/api/v1/requests')).status).toBe(401);
    const { body: key } = await request(url).post('/api/v1/keys').set('authorization', `Bearer ${ADMIN_KEY}`).send({ accountId: 'shop' });
    const asShop = await request(url).get('/api/v1/requests').set('authorization', `Bearer ${key.key}`);
    expect(asShop.body).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await asAdmin('/api/v1/requests/x')).status).toBe(404);
    expect((await asAdmin('/api/v1/requests/00000000-0000-7000-8000-000000000000')).status).toBe(404);
    for (const [query, path] of [
      ['outcome=lost', 'outcome'],
      ['source=a&source=b', 'source'],
      ['sourc=in', 'sourc'],
    ]) {
      expect((await asAdmin(`/api/v1/requests?${query}`)).body).toMatchObject({
        status: 400,
        code: 'malformed_request',
        problems: [{ path }],
      });
    }
  });

  it('wait in memory while the storage is away, and are listed when it is back', async () => {
    await start();
    const storage = app.get(Storage, { strict: false });
    const insertMany = storage.insertMany.bind(storage);
    const requestId = newId();
    let failures = 0;
    storage.insertMany = () => (failures++, Promise.reject(new GatewayError('storage_unavailable')));
    app.get(RefusalsService, { strict: false }).record(refusal({ requestId }));
    await eventually('it is tried again', () => failures >= 2);
    storage.insertMany = insertMany;
    await eventually('it is listed', async () => {
      const { body } = await asAdmin('/api/v1/requests');
      expect(body.data).toMatchObject([{ requestId }]);
      return true;
    });
  });

  it('are no more than maxRows, the newest of them', async () => {
    await start({ REFUSALS_MAX_ROWS: '100' });
    const refusals = app.get(RefusalsService, { strict: false });
    const ids = Array.from({ length: 150 }, newId);
    for (const requestId of ids) refusals.record(refusal({ requestId }));
    await refusals.onApplicationShutdown();
    await refusals.prune();
    const { data, nextCursor } = (await asAdmin('/api/v1/requests?limit=200')).body;
    expect([data.length, nextCursor, data[0].requestId, data[99].requestId]).toEqual([100, null, ids[149], ids[50]]);
  });

  it('are told in one line a flush, by code and source, and past twenty by route', async () => {
    await start();
    const warned = jest.spyOn(Logger.prototype, 'warn');
    const refusals = app.get(RefusalsService, { strict: false });
    const ids = Array.from({ length: 5_000 }, newId);
    for (const requestId of ids) refusals.record(refusal({ requestId }));
    for (let i = 1; i <= 1_000; i++) refusals.record(refusal({ requestId: ids[i]!, door: 'in', source: `in:${i}`, code: 'not_found' }));
    await refusals.onApplicationShutdown();
    await refusals.onApplicationShutdown();
    expect(warned.mock.calls).toHaveLength(1);
    const sums = String(warned.mock.calls[0]?.[0]).split(', ');
    expect(sums).toHaveLength(21);
    expect(sums[0]).toBe(`Refused: 5000 signature_invalid at /facebook (such as request ${ids[4_999]})`);
    expect(sums[1]).toBe(`1 not_found at in:1 (such as request ${ids[1]})`);
    expect(sums[20]).toBe(`981 not_found at /facebook (such as request ${ids[1_000]})`);
    warned.mockRestore();
  });

  it('are counted', async () => {
    await start();
    app.get(RefusalsService, { strict: false }).record(refusal({ source: 'test', code: 'signature_invalid' }));
    const { values } = await app.get(Metrics, { strict: false }).rejected.get();
    expect(values).toMatchObject([{ labels: { source: 'test', code: 'signature_invalid' }, value: 1 }]);
  });
});

describe('documentation', () => {
  it('describes the routes, and every error as a problem', async () => {
    await start();
    const { body } = await request(url).get('/api/openapi.json');
    expect(body.info).toMatchObject({ title: 'Hookline', version: '1.2.3' });
    const list = body.paths['/api/v1/requests'].get;
    expect(list.responses.default.content['application/problem+json'].schema.$ref).toBe('#/components/schemas/Problem');
    expect(body.components.schemas.Problem.properties.code.enum).toContain('signature_invalid');
    expect(body.components.securitySchemes).toEqual({ bearer: { type: 'http', scheme: 'bearer', description: 'An API key' } });
  });

  it('is shown by a page whose files are all there', async () => {
    await start();
    const page = await request(url).get('/api/docs');
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'self'/);
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string);
    expect(files).toHaveLength(3);
    for (const file of files) expect((await request(url).get(file)).status).toBe(200);
  });
});

it('a connection that is kept alive does not hold up the shutdown', async () => {
  await start();
  const agent = new Agent({ keepAlive: true });
  await new Promise<void>((resolve, reject) => {
    get(`${url}/health/live`, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
  });
  await shutDown(app, 0);
  expect(app.getHttpServer().listening).toBe(false);
  agent.destroy();
});

type Refusal = Parameters<RefusalsService['record']>[0];

const refusal = ({ requestId = newId(), ...fields }: Partial<Refusal> & { requestId?: string }): Refusal => ({
  door: fields.source ?? 'facebook',
  source: 'facebook',
  status: 401,
  code: 'signature_invalid',
  detail: 'no',
  path: '/facebook',
  request: {
    requestId,
    receivedAt: Date.now(),
    route: '/facebook',
    method: 'POST',
    target: '/facebook',
    headers: { 'x-plain': 'kept' },
    body: Buffer.alloc(0),
    address: '127.0.0.1',
    viaProxy: false,
  },
  body: undefined,
  bodyBytes: 0,
  ...fields,
});

/** A delivery that is owed since then, and a settled one that is older. */
