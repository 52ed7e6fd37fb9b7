import { APP_SECRET } from '../test/support/gateway';
import { type Bench, type BenchContext, type FigureLine, figureLine } from './bench';
import { PAGE_ID } from './body';
import { Child } from './child';
import { quantile } from './figures';
import type { ProbeResult, SendTask } from './probe';
import { bareSubject, gatewaySubject } from './subject';

const PER_SECOND = 200;
const P50_LIMIT_MS = 15;

/** From sending a request to receiving its delivery, at a rate that leaves the machine half idle. The bare pipeline gets every second request. */
export const latency: Bench = { names: ['latency', 'latency-p99'], run };

async function run({ scale, profileFolder }: BenchContext): Promise<FigureLine[]> {
  const { child: probe, reply } = await Child.start<{ port: number }>('probe', { kind: 'listen' });
  const receiver = `http://127.0.0.1:${reply.port}/hooks`;
  const subjects = [await gatewaySubject(receiver, profileFolder), await bareSubject(receiver)];
  try {
    const targets: SendTask['targets'][number][] = [];
    for (const subject of subjects) {
      const port = await subject.start({ accept: true, process: true });
      targets.push({ port, path: subject.path, pages: [{ id: PAGE_ID, isCounted: true }] });
    }
    const [warmUp, count] = [Math.round(2_000 * scale), Math.round(5_000 * scale)];
    const task: SendTask = { targets, secret: APP_SECRET, perSecond: PER_SECOND, warmUp, count, limitMs: 30_000 };
    const { latencies, missing } = await probe.ask<ProbeResult>({ kind: 'send', ...task });
    if (missing > 0) throw new Error(`${missing} deliveries did not come.`);
    const [gateway = [], bare = []] = latencies;
    process.stderr.write(`latency of the bare pipeline: p50 ${quantile(bare, 0.5).toFixed(2)} ms\n`);
    return [
      figureLine('latency', 'ms', quantile(gateway, 0.5), P50_LIMIT_MS),
      figureLine('latency-p99', 'ms', quantile(gateway, 0.99), quantile(bare, 0.99)),
    ];
  } finally {
    for (const subject of subjects) await subject.remove();
    await probe.stop();
  }
}
