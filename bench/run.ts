import { join } from 'node:path';
import { ROOT } from '../test/support/build';
import { APP_SECRET } from '../test/support/gateway';
import { startServices } from '../test/support/services/services';
import { Child } from './child';
import { Figure } from './figures';
import type { LoadResult, LoadTask } from './load';
import type { SinkResult } from './sink';
import { bareSubject, gatewaySubject, type Subject } from './subject';

const CONNECTIONS = 64;
const COUNT = 20_000;
const WARM_UP_COUNT = 2_000;
const MEASURE_MS = 10_000;
const LIMIT_MS = 120_000;

const figures = {
  ingest: new Figure('ingest', 'requests/s'),
  delivery: new Figure('delivery', 'requests/s'),
  endToEnd: new Figure('end-to-end', 'requests/s'),
};

/** Gateway and bare pipeline take turns, so that a busy moment of the machine meets both; medians are printed. */
async function run(): Promise<void> {
  const rounds = Number(option('rounds') ?? 3);
  const profileFolder = process.argv.includes('--profile') ? join(ROOT, 'bench', 'profiles') : undefined;
  const services = await startServices();
  Object.assign(process.env, services.environment);
  const { child: sink, reply } = await Child.start<{ port: number }>('sink', { kind: 'listen' });
  const sinkUrl = `http://127.0.0.1:${reply.port}/hooks`;
  const subjects = [await gatewaySubject(sinkUrl, profileFolder), await bareSubject(sinkUrl)];
  try {
    for (let round = 1; round <= rounds; round++) {
      process.stderr.write(`round ${round} of ${rounds}\n`);
      for (const subject of subjects) await measureInAndOut(subject, sink);
      for (const subject of subjects) await measureEndToEnd(subject, sink);
    }
    for (const figure of Object.values(figures)) figure.print();
    if (profileFolder) process.stderr.write(`Profiles are in ${profileFolder}; bench/README.md says how to read them.\n`);
  } finally {
    for (const subject of subjects) await subject.remove();
    await sink.stop();
    await services.stop();
  }
}

/** Fills the queue while nothing is processed, then starts anew and drains it. */
async function measureInAndOut(subject: Subject, sink: Child): Promise<void> {
  const port = await subject.start({ accept: true, process: false });
  await load(subject, port, WARM_UP_COUNT);
  const { perSecond } = await load(subject, port, COUNT);
  figures.ingest.add(subject.kind, perSecond);
  await subject.stop();

  await sink.ask({ kind: 'reset' });
  const count = WARM_UP_COUNT + COUNT;
  await subject.start({ accept: false, process: true });
  const { firstAt, lastAt } = await expectAll(sink, count);
  figures.delivery.add(subject.kind, (count / (lastAt - firstAt)) * 1_000);
  await subject.stop();
}

/** From the first request sent to the last delivery received. */
async function measureEndToEnd(subject: Subject, sink: Child): Promise<void> {
  const port = await subject.start({ accept: true, process: true });
  await sink.ask({ kind: 'reset' });
  await load(subject, port, WARM_UP_COUNT);
  await expectAll(sink, WARM_UP_COUNT);
  await sink.ask({ kind: 'reset' });
  const { startedAt } = await load(subject, port, COUNT);
  const { lastAt } = await expectAll(sink, COUNT);
  figures.endToEnd.add(subject.kind, (COUNT / (lastAt - startedAt)) * 1_000);
  await subject.stop();
}

async function load(subject: Subject, port: number, count: number): Promise<LoadResult> {
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

const option = (name: string): string | undefined => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];

run().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
