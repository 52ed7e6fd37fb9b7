import { connect, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { rawRequest, webexBody } from './body';
import { serve } from './child';
import { quantile } from './figures';
import { HttpScanner } from './http-scanner';

export interface LoadTask {
  port: number;
  path: string;
  secret: string;
  /** Webhooks of Webex by so many people in turns, instead of Facebook's. */
  actors?: number;
  /** With the headers of GitHub's webhooks, each of a delivery of its own. */
  asGithub?: boolean;
  connections: number;
  /** Requests to send in all. */
  count: number;
  /** The rate is taken over this time at most; the rest is still sent. */
  measureMs: number;
}

export interface LoadResult {
  /** Milliseconds since 1970, when the first request was sent. */
  startedAt: number;
  accepted: number;
  refused: number;
  /** Answers of 2xx in a second. */
  perSecond: number;
  /** 99th percentile of the time from sending a request to its answer. */
  p99Ms: number;
}

/** Keeps one request in flight on each connection. */
async function run(task: LoadTask): Promise<LoadResult> {
  const { actors } = task;
  const headers = (): string => (task.asGithub ? `X-GitHub-Event: push\r\nX-GitHub-Delivery: ${randomUUID()}\r\n` : '');
  const bodyOf = (number: number): Buffer | undefined => (actors === undefined ? undefined : webexBody(`person-${number % actors}`));
  const requests = Array.from({ length: task.count }, (_, number) =>
    rawRequest(`127.0.0.1:${task.port}`, task.path, task.secret, bodyOf(number), headers()),
  );
  const latencies: number[] = [];
  const sockets = await Promise.all(Array.from({ length: task.connections }, () => open(task.port)));
  const startedAt = Date.now();
  const started = performance.now();
  const tally = { accepted: 0, refused: 0, measured: 0, measuredMs: 0 };
  let next = 0;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          let sentAt = 0;
          const send = (): void => {
            const request = requests[next++];
            if (request === undefined) {
              resolve();
              socket.end();
            } else {
              sentAt = performance.now();
              socket.write(request);
            }
          };
          const scanner = new HttpScanner((head) => {
            if (head.startsWith('HTTP/1.1 2')) tally.accepted++;
            else tally.refused++;
            const now = performance.now();
            latencies.push(now - sentAt);
            const elapsedMs = now - started;
            if (elapsedMs <= task.measureMs) {
              tally.measured = tally.accepted;
              tally.measuredMs = elapsedMs;
            }
            send();
          });
          socket.on('data', (chunk) => scanner.push(chunk));
          socket.on('error', reject);
          socket.on('close', () => reject(new Error('The server closed a connection.')));
          send();
        }),
    ),
  );
  const { accepted, refused, measured, measuredMs } = tally;
  return { startedAt, accepted, refused, perSecond: (measured / measuredMs) * 1_000, p99Ms: quantile(latencies, 0.99) };
}

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });

serve(run);
