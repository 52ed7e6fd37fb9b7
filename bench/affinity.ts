import { join } from 'node:path';
import { ROOT } from '../test/support/build';
import { Gateway } from '../test/support/gateway';
import { acquireDatabase } from '../test/support/services/services';
import type { Bench, BenchContext, FigureLine } from './bench';
import { Child } from './child';
import { Figure } from './figures';
import type { LoadResult, LoadTask } from './load';
import type { PassingTask } from './passing';
import { GATEWAY_ENV } from './subject';

const CONNECTIONS = 64;
/** So few in flight that requests hardly wait for one another. */
const CALM_CONNECTIONS = 4;
const MEASURE_MS = 10_000;
const ACTORS = 1_000;

/** The affinity proxy on PostgreSQL, a bare proxy and their target take turns. */
export const affinity: Bench = { names: ['affinity', 'affinity-direct', 'affinity-p99', 'affinity-p99-direct'], run };

async function run({ rounds, scale, profileFolder }: BenchContext): Promise<FigureLine[]> {
  const beside = new Figure('affinity', 'requests/s');
  const direct = new Figure('affinity-direct', 'requests/s');
  const p99 = new Figure('affinity-p99', 'ms');
  const p99Direct = new Figure('affinity-p99-direct', 'ms');
  const database = await acquireDatabase();
  const target = await startPassing({});
  const bare = await startPassing({ targetPort: target.port });
  const proxy = await startProxy(target.port, database.url, profileFolder);
  const [count, calm] = [Math.round(20_000 * scale), Math.round(4_000 * scale)];
  try {
    for (const { port } of [proxy, bare, target]) await load(port, CONNECTIONS, Math.max(ACTORS, Math.round(4_000 * scale)));
    for (let round = 1; round <= rounds; round++) {
      const { perSecond } = await load(proxy.port, CONNECTIONS, count);
      beside.add('value', perSecond);
      direct.add('value', perSecond);
      beside.add('limit', (await load(bare.port, CONNECTIONS, count)).perSecond);
      direct.add('limit', (await load(target.port, CONNECTIONS, count)).perSecond);
      const { p99Ms } = await load(proxy.port, CALM_CONNECTIONS, calm);
      p99.add('value', p99Ms);
      p99Direct.add('value', p99Ms);
      p99.add('limit', (await load(bare.port, CALM_CONNECTIONS, calm)).p99Ms);
      p99Direct.add('limit', (await load(target.port, CALM_CONNECTIONS, calm)).p99Ms);
    }
    return [beside, direct, p99, p99Direct].map((figure) => figure.line());
  } finally {
    await proxy.terminate();
    await proxy.remove();
    await Promise.all([target.child.stop(), bare.child.stop()]);
    await database.release();
  }
}

async function startPassing(task: PassingTask): Promise<{ child: Child; port: number }> {
  const { child, reply } = await Child.start<{ port: number }>('passing', task);
  return { child, port: reply.port };
}

async function startProxy(targetPort: number, databaseUrl: string, profileFolder: string | undefined): Promise<Gateway> {
  const main = join(ROOT, 'dist', 'affinity-proxy.js');
  const proxy = await Gateway.ready({
    databaseUrl,
    main,
    env: { ...GATEWAY_ENV, TARGET_URL: `http://127.0.0.1:${String(targetPort)}` },
  });
  if (profileFolder === undefined) return proxy;
  await proxy.terminate();
  proxy.start({}, ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, '--cpu-prof-name=affinity.cpuprofile']);
  await proxy.becomesReady();
  return proxy;
}

async function load(port: number, connections: number, count: number): Promise<LoadResult> {
  const task: LoadTask = { port, path: '/webhook', actors: ACTORS, secret: '', connections, count, measureMs: MEASURE_MS };
  const { child, reply } = await Child.start<LoadResult>('load', task);
  await child.stop();
  if (reply.refused > 0) throw new Error(`${String(reply.refused)} of ${String(count)} requests were refused.`);
  return reply;
}
