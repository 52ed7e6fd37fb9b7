import { join } from 'node:path';
import { request } from 'undici';
import { ROOT } from '../support/build';
import { Gateway } from '../support/gateway';
import { type Database } from '../support/services/postgres';
import { freePorts } from '../support/services/processes';
import { acquireDatabase } from '../support/services/services';
import { StickyBots } from '../support/sticky-bots';

const PROXY = join(ROOT, 'dist', 'affinity-proxy.js');
const SENDERS = 32;

let bots: StickyBots;
const started: Gateway[] = [];

beforeEach(async () => {
  bots = await StickyBots.start();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.remove()));
  await bots.stop();
});

/** `npm run affinity`; ready when the bots answer through it. */
async function startProxy(database?: Database): Promise<Gateway> {
  const options = database === undefined ? {} : { databaseUrl: database.url };
  const proxy = await Gateway.ready({ ...options, main: PROXY, env: { TARGET_URL: bots.url } });
  started.push(proxy);
  return proxy;
}

const actorsOf = (count: number): string[] => Array.from({ length: count }, (_, number) => `person-${String(number)}`);

async function post(url: string, actor: string): Promise<string> {
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resource: 'messages', event: 'created', actorId: actor }),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${String(statusCode)} ${text}`);
  return text;
}

/** As whoever stands before several proxies does: in turns, and at the next one when the first cannot. */
async function postAll(
  actors: readonly string[],
  urls: readonly string[],
  onPosted: (count: number) => void = () => undefined,
): Promise<void> {
  let [next, posted] = [0, 0];
  const send = async (): Promise<void> => {
    for (let at = next++; at < actors.length; at = next++) {
      const order = urls.map((_, index) => urls[(at + index) % urls.length] as string);
      await firstThatWorks(order, (url) => post(url, actors[at] as string));
      onPosted(++posted);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
}

async function firstThatWorks<T, R>(all: readonly T[], work: (each: T) => Promise<R>): Promise<R> {
  const errors: unknown[] = [];
  for (const each of all) {
    try {
      return await work(each);
    } catch (error) {
      errors.push(error);
    }
  }
  throw new AggregateError(errors, 'None works');
}

/** Actors that more than one instance has met. */
const strayed = (): string[] => [...bots.met].flatMap(([actor, instances]) => (new Set(instances).size > 1 ? [actor] : []));
const requests = (): number => [...bots.met.values()].reduce((sum, instances) => sum + instances.length, 0);

describe('Two proxies on one PostgreSQL', () => {
  let database: Database;
  let proxies: Gateway[];
  let urls: string[];

  beforeEach(async () => {
    database = await acquireDatabase();
    proxies = await Promise.all([startProxy(database), startProxy(database)]);
    urls = proxies.map(({ url }) => url);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((each) => each.remove()));
    await database.release();
  });

  it('keep 1,000 actors at their instances while one of them is restarted, by SIGTERM and by kill -9', async () => {
    const actors = actorsOf(1_000);
    await postAll(actors, urls);
    expect(requests()).toBe(1_000);

    for (const end of ['terminate', 'kill'] as const) {
      const [restarted] = proxies as [Gateway];
      let ended: Promise<unknown> | undefined;
      // The other one first where this one came first: each proxy meets actors that only the other knows.
      await postAll(actors, [...urls].reverse(), (count) => {
        if (count >= 300) ended ??= restarted[end]();
      });
      await ended;
      restarted.start();
      await restarted.becomesReady();
      await postAll(actors, [restarted.url]);
    }

    expect(strayed()).toEqual([]);
    expect(requests()).toBeGreaterThanOrEqual(5_000);
    const firsts = [...bots.met.values()].map(([instance]) => instance);
    expect([0, 1].map((instance) => firsts.filter((each) => each === instance).length)).toEqual([500, 500]);
  }, 300_000);

  it('agree on one instance when an actor’s first two requests come at once', async () => {
    bots.holdNext(2);
    await Promise.all(urls.map((url) => post(url, 'A')));
    expect(new Set(bots.met.get('A'))).toEqual(new Set([0, 1]));
    bots.met.clear();
    for (const url of [...urls, ...urls]) await post(url, 'A');
    expect(bots.met.get('A')).toHaveLength(4);
    expect(strayed()).toEqual([]);
  });
});

it('A proxy on SQLite keeps its sessions over restarts', async () => {
  const proxy = await startProxy();
  const actors = actorsOf(50);
  await postAll(actors, [proxy.url]);
  expect(await proxy.terminate()).toEqual({ code: 0, signal: null });
  proxy.start();
  await proxy.becomesReady();
  await postAll(actors, [proxy.url]);
  await proxy.kill();
  proxy.start();
  await proxy.becomesReady();
  await postAll(actors, [proxy.url]);
  expect(requests()).toBe(150);
  expect(strayed()).toEqual([]);
}, 120_000);

describe('The gateway', () => {
  it('serves the proxy on a port of its own, and tells of it', async () => {
    const [port = 0] = await freePorts(1);
    const env = { AFFINITY_ENABLED: 'true', AFFINITY_PORT: String(port), TARGET_URL: bots.url };
    const gateway = await Gateway.ready({ env });
    started.push(gateway);
    const url = `http://127.0.0.1:${String(port)}`;
    await postAll(actorsOf(20), [url]);
    await postAll(actorsOf(20), [url]);
    expect(strayed()).toEqual([]);
    expect(requests()).toBe(40);
    expect((await gateway.get('/health/ready')).body).toMatchObject({ info: { affinity: { status: 'up' } } });
    expect(await gateway.metric('hookline_affinity_requests_total', { outcome: 'answered' })).toBe(40);
    expect(await gateway.metric('hookline_affinity_sessions_total', { result: 'stored' })).toBe(20);

    const second = await Gateway.launch({ env });
    started.push(second);
    expect(await second.ends()).toEqual({ code: 1, signal: null });
    expect(second.log).toMatch(/^Cannot listen on .* port \d+: .*set another affinity\.port/m);
    expect(second.log).not.toMatch(/^ +at /m);
  }, 120_000);

  it('has neither the port nor a line of health where the proxy is off', async () => {
    const gateway = await Gateway.ready({ env: { TARGET_URL: bots.url } });
    started.push(gateway);
    expect((await gateway.get('/health/ready')).body).not.toHaveProperty('info.affinity');
  });
});
