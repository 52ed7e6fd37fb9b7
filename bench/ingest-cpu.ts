import { readFileSync } from 'node:fs';
import type { Bench, BenchContext, FigureLine } from './bench';
import { Figure } from './figures';
import { load } from './pipeline';
import { bareSubject, gatewaySubject, type Subject } from './subject';

/** Linux counts a process's time in hundredths of a second. */
const TICK_US = 10_000;
const NOWHERE = 'http://127.0.0.1:9/hooks';

/** CPU time of the receiving process for one request: hardly changed by what else runs, so this is what a change is judged by. */
export const ingestCpu: Bench = { names: ['ingest-cpu'], run };

async function run({ rounds, scale, profileFolder }: BenchContext): Promise<FigureLine[]> {
  const figure = new Figure('ingest-cpu', 'µs/request');
  const subjects = [await gatewaySubject(NOWHERE, profileFolder), await bareSubject(NOWHERE)];
  try {
    for (let round = 1; round <= rounds; round++) for (const subject of subjects) await measure(subject, figure, scale);
    return [figure.line()];
  } finally {
    for (const subject of subjects) await subject.remove();
  }
}

async function measure(subject: Subject, figure: Figure, scale: number): Promise<void> {
  const count = Math.round(20_000 * scale);
  const port = await subject.start({ accept: true, process: false });
  await load(subject, port, Math.round(4_000 * scale));
  const before = cpuUs(subject.pid);
  await load(subject, port, count);
  figure.add(subject.kind, (cpuUs(subject.pid) - before) / count);
  await subject.stop();
}

/** Microseconds in user and kernel mode since the process began. */
function cpuUs(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const [user, kernel] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(kernel)) * TICK_US;
}
