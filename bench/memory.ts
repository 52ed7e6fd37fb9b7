import { readFileSync } from 'node:fs';
import { type Bench, type BenchContext, type FigureLine, figureLine } from './bench';
import { Child } from './child';
import { median } from './figures';
import { load } from './pipeline';
import type { SinkResult } from './sink';
import { gatewaySubject } from './subject';

const BATCHES = 50;
const BATCH = 20_000;
const LIMIT_MB = 50;
const LIMIT_MS = 300_000;

/** By how much a gateway has grown after a million events: its resident memory over the last tenth of them against that over the second. */
export const memory: Bench = { names: ['memory'], run };

async function run({ scale }: BenchContext): Promise<FigureLine[]> {
  const { child: sink, reply } = await Child.start<{ port: number }>('sink', { kind: 'listen' });
  const subject = await gatewaySubject(`http://127.0.0.1:${reply.port}/hooks`, undefined);
  const batch = Math.round(BATCH * scale);
  const samples: number[] = [];
  try {
    const port = await subject.start({ accept: true, process: true });
    for (let number = 1; number <= BATCHES; number++) {
      await sink.ask({ kind: 'reset' });
      await load(subject, port, batch);
      const { count } = await sink.ask<SinkResult>({ kind: 'expect', count: batch, limitMs: LIMIT_MS });
      if (count < batch) throw new Error(`Only ${count} of ${batch} deliveries came.`);
      samples.push(residentMb(subject.pid));
      process.stderr.write(`memory after ${number * batch} events: ${samples.at(-1)?.toFixed(0) ?? ''} MB\n`);
    }
    const tenth = BATCHES / 10;
    const grown = median(samples.slice(-tenth)) - median(samples.slice(tenth, 2 * tenth));
    return [figureLine('memory', 'MB', Math.max(0, grown), LIMIT_MB)];
  } finally {
    await subject.remove();
    await sink.stop();
  }
}

function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}
