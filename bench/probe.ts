import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { midOf, newBody, newMid, signatureOf } from './body';
import { serve } from './child';

/** Sender and receiver in one process, so that one clock sees both ends. Far too slow for a load: for a given rate only. */
export type ProbeTask = { kind: 'listen' } | ({ kind: 'send' } & SendTask);

export interface SendTask {
  targets: readonly ProbeTarget[];
  secret: string;
  /** Requests in a second to each of the targets, which take turns. */
  perSecond: number;
  /** Requests to each target that do not count, sent before the others. */
  warmUp: number;
  count: number;
  /** How long deliveries may be on their way after the last request. */
  limitMs: number;
}

export interface ProbeTarget {
  port: number;
  path: string;
  /** Whose requests these are, one after the other. */
  pages: readonly { id: string; isCounted: boolean }[];
}

/** For each target, of each counted request: milliseconds from sending it to receiving its delivery. */
export interface ProbeResult {
  latencies: number[][];
  missing: number;
}

interface Awaited {
  sentAt: number;
  latencies: number[];
}

const awaited = new Map<string, Awaited>();
let onEmpty = (): void => undefined;

/** POST /hang is never answered; anything else is, with 204. */
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const at = performance.now();
    if (request.url === '/hang') return;
    response.writeHead(204).end();
    const mid = midOf(Buffer.concat(chunks).toString('latin1')) ?? '';
    const found = awaited.get(mid);
    if (found === undefined || !awaited.delete(mid)) return;
    found.latencies.push(at - found.sentAt);
    if (awaited.size === 0) onEmpty();
  });
});

async function send(task: SendTask): Promise<ProbeResult> {
  const pools = task.targets.map(({ port }) => new Pool(`http://127.0.0.1:${port}`, { connections: 64, pipelining: 1 }));
  const latencies = task.targets.map((): number[] => []);
  const everyMs = 1_000 / task.perSecond;
  const started = performance.now();
  const answers: Promise<void>[] = [];
  for (let number = 0; number < task.warmUp + task.count; number++) {
    for (const [index, target] of task.targets.entries()) {
      const dueAt = started + (number + index / task.targets.length) * everyMs;
      // At least a millisecond, also when it is late: what has arrived meanwhile is seen to first.
      await new Promise((resolve) => setTimeout(resolve, dueAt - performance.now()));
      const page = target.pages[number % target.pages.length]!;
      const mid = newMid();
      const body = newBody(mid, page.id);
      const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(task.secret, body) };
      if (page.isCounted && number >= task.warmUp) awaited.set(mid, { sentAt: performance.now(), latencies: latencies[index]! });
      answers.push(post(pools[index]!, target.path, headers, body));
    }
  }
  await Promise.all(answers);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, task.limitMs);
    onEmpty = () => {
      clearTimeout(timer);
      resolve();
    };
    if (awaited.size === 0) onEmpty();
  });
  const missing = awaited.size;
  awaited.clear();
  await Promise.all(pools.map((pool) => pool.close()));
  return { latencies, missing };
}

async function post(pool: Pool, path: string, headers: Record<string, string>, body: Buffer): Promise<void> {
  const { statusCode, body: answer } = await pool.request({ method: 'POST', path, headers, body });
  await answer.dump();
  if (statusCode !== 200) throw new Error(`A request was answered with ${statusCode}.`);
}

serve<ProbeTask>(async (task) => {
  if (task.kind === 'send') return send(task);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port };
});
