import type { Bench, BenchContext, FigureLine } from './bench';
import { Child } from './child';
import { Figure } from './figures';
import type { LoadResult, LoadTask } from './load';
import type { SinkResult } from './sink';
import { bareSubject, gatewaySubject, type Subject } from './subject';
import { APP_SECRET } from '../test/support/gateway';

const CONNECTIONS = 64;
const MEASURE_MS = 10_000;
const LIMIT_MS = 120_000;

const NAMES = ['ingest', 'delivery', 'end-to-end'] as const;

/** Gateway and bare pipeline take turns, so that a busy moment of the machine meets both; medians are printed. */
const benchOf = (suffix: string, env: NodeJS.ProcessEnv): Bench => ({
  names: NAMES.map((name) => name + suffix),
  run: (context) => run(context, suffix, env),
});

/** What the bare pipeline does, and all that is promised of it. */
export const pipeline = benchOf('', { THREADS_ENABLED: 'false' });

/** With every message written to the full-text search of the threads as well, as the settings have it by default. */
export const pipelineWithThreads = benchOf('-with-threads', {});

interface Rig {
  sink: Child;
  /** Requests that do not count, and those that do. */
  warmUp: number;
  count: number;
  figures: { ingest: Figure; delivery: Figure; endToEnd: Figure };
}

async function run({ rounds, scale, profileFolder }: BenchContext, suffix: string, env: NodeJS.ProcessEnv): Promise<FigureLine[]> {
  const [ingest, delivery, endToEnd] = NAMES.map((name) => new Figure(name + suffix, 'requests/s')) as [Figure, Figure, Figure];
  const figures = { ingest, delivery, endToEnd };
  const { child: sink, reply } = await Child.start<{ port: number }>('sink', { kind: 'listen' });
  const rig = { sink, warmUp: Math.round(2_000 * scale), count: Math.round(20_000 * scale), figures };
  const sinkUrl = `http://127.0.0.1:${reply.port}/hooks`;
  const subjects = [await gatewaySubject(sinkUrl, profileFolder, env), await bareSubject(sinkUrl)];
  try {
    for (let round = 1; round <= rounds; round++) {
      process.stderr.write(`round ${round} of ${rounds}\n`);
      for (const subject of subjects) await measureInAndOut(subject, rig);
      for (const subject of subjects) await measureEndToEnd(subject, rig);
    }
    return Object.values(figures).map((figure) => figure.line());
  } finally {
    for (const subject of subjects) await subject.remove();
    await sink.stop();
  }
}

/** Fills the queue while nothing is processed, then starts anew and drains it. */
async function measureInAndOut(subject: Subject, { sink, warmUp, count, figures }: Rig): Promise<void> {
  const port = await subject.start({ accept: true, process: false });
  await load(subject, port, warmUp);
  const { perSecond } = await load(subject, port, count);
  figures.ingest.add(subject.kind, perSecond);
  await subject.stop();

  await sink.ask({ kind: 'reset', warmUp });
  const all = warmUp + count;
  await subject.start({ accept: false, process: true });
  const { firstAt, warmAt, lastAt } = await expectAll(sink, all);
  figures.delivery.add(subject.kind, (count / (lastAt - warmAt)) * 1_000);
  process.stderr.write(`with its warm-up: ${Math.round((all / (lastAt - firstAt)) * 1_000)} requests/s\n`);
  await subject.stop();
}

/** From the first request sent to the last delivery received. */
async function measureEndToEnd(subject: Subject, { sink, warmUp, count, figures }: Rig): Promise<void> {
  const port = await subject.start({ accept: true, process: true });
  await sink.ask({ kind: 'reset' });
  await load(subject, port, warmUp);
  await expectAll(sink, warmUp);
  await sink.ask({ kind: 'reset' });
  const { startedAt } = await load(subject, port, count);
  const { lastAt } = await expectAll(sink, count);
  figures.endToEnd.add(subject.kind, (count / (lastAt - startedAt)) * 1_000);
  await subject.stop();
}

/** As many requests as the gateway takes, each connection with one in flight. @throws Error when one of them is refused. */
export async function load(subject: Subject, port: number, count: number): Promise<LoadResult> {
  const task: LoadTask = { port, path: subject.path, secret: APP_SECRET, connections: CONNECTIONS, count, measureMs: MEASURE_MS };
  const { child, reply } = await Child.start<LoadResult>('load', task);
  await child.stop();
  if (reply.refused > 0) throw new Error(`${reply.refused} of ${count} requests were refused.`);
  return reply;
}

async function expectAll(sink: Child, count: number): Promise<SinkResult> {
  const result = await sink.ask<SinkResult>({ kind: 'expect', count, limitMs: LIMIT_MS });
  if (result.count < count) throw new Error(`Only ${result.count} of ${count} deliveries came within ${LIMIT_MS} ms.`);
  return result;
}
