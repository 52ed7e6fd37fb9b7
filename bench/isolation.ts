import { APP_SECRET, Gateway } from '../test/support/gateway';
import { acquireDatabase, acquireVhost } from '../test/support/services/services';
import { type Bench, type BenchContext, type FigureLine, figureLine } from './bench';
import { Child } from './child';
import { quantile } from './figures';
import type { ProbeResult, ProbeTarget, SendTask } from './probe';
import { GATEWAY_ENV } from './subject';

const ENDPOINTS = 20;
const HANGING = ENDPOINTS / 10;
/** To each gateway. What hangs does so for 15 s, so that some 150 attempts of each hanging endpoint would be under way. */
const PER_SECOND = 200;
/** Sent before anything counts, so that all places that a hanging endpoint may take are taken. */
const WARM_UP_MS = 20_000;
/** Nine tenths of these are to healthy endpoints: 5,040. */
const COUNT = 5_600;

/**
 * The p99 from request to delivery at healthy endpoints, with a tenth of all endpoints hanging and with none. Two gateways get the
 * same requests in turns; one of them has the hanging endpoints.
 */
export const isolation: Bench = { names: ['isolation'], run };

interface Rig {
  target: ProbeTarget;
  remove(): Promise<void>;
}

async function run({ scale }: BenchContext): Promise<FigureLine[]> {
  const { child: probe, reply } = await Child.start<{ port: number }>('probe', { kind: 'listen' });
  const rigs: Rig[] = [];
  try {
    for (const hanging of [HANGING, 0]) rigs.push(await startRig(`http://127.0.0.1:${reply.port}`, hanging));
    const task: SendTask = {
      targets: rigs.map(({ target }) => target),
      secret: APP_SECRET,
      perSecond: PER_SECOND,
      warmUp: Math.round((PER_SECOND * WARM_UP_MS * scale) / 1_000),
      count: Math.round(COUNT * scale),
      limitMs: 30_000,
    };
    const { latencies, missing } = await probe.ask<ProbeResult>({ kind: 'send', ...task });
    if (missing > 0) throw new Error(`${missing} deliveries to healthy endpoints did not come.`);
    const [withHanging = [], withNone = []] = latencies;
    process.stderr.write(
      `isolation: ${withHanging.length} and ${withNone.length} deliveries, p50 ${quantile(withHanging, 0.5).toFixed(2)} and ${quantile(withNone, 0.5).toFixed(2)} ms\n`,
    );
    return [figureLine('isolation', 'ms', quantile(withHanging, 0.99), quantile(withNone, 0.99))];
  } finally {
    for (const rig of rigs) await rig.remove();
    await probe.stop();
  }
}

/** A gateway with ENDPOINTS accounts, each with a page and an endpoint of its own; the first `hanging` of them never answer. */
async function startRig(receiver: string, hanging: number): Promise<Rig> {
  const [vhost, database] = await Promise.all([acquireVhost(), acquireDatabase()]);
  const gateway = await Gateway.ready({ rabbitMqUrl: vhost.url, databaseUrl: database.url, env: GATEWAY_ENV });
  const remove = async (): Promise<void> => {
    await gateway.remove();
    await Promise.all([vhost.release(), database.release()]);
  };
  const pages: ProbeTarget['pages'][number][] = [];
  for (let number = 0; number < ENDPOINTS; number++) {
    const { accountId, pageId } = await gateway.newAccount();
    await gateway.subscribe(`${receiver}/${number < hanging ? 'hang' : 'hooks'}`, { accountId });
    // The same pages count with both gateways, whether they hang or not.
    pages.push({ id: pageId, isCounted: number >= HANGING });
  }
  return { target: { port: gateway.port, path: '/facebook', pages }, remove };
}
