import { createServer, type AddressInfo } from 'node:net';
import { serve } from './child';
import { HttpScanner } from './http-scanner';

/** `listen` answers with the port, `expect` once so many requests came since the last one, or after the time limit. */
export type SinkTask =
  | { kind: 'listen' }
  | { kind: 'expect'; count: number; limitMs: number }
  /** `warmUp`: how many come before those that count. */
  | { kind: 'reset'; warmUp?: number };

export interface SinkResult {
  count: number;
  /** Milliseconds since 1970, with fractions. */
  firstAt: number;
  /** When the warm-up was over; `firstAt` where there was none. */
  warmAt: number;
  lastAt: number;
}

const ANSWER = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n');
const NOTHING: SinkResult = { count: 0, firstAt: 0, warmAt: 0, lastAt: 0 };
const seen = { ...NOTHING };
let warmUp = 0;
let onCount = (): void => undefined;
const now = (): number => performance.timeOrigin + performance.now();

const server = createServer({ noDelay: true }, (socket) => {
  const scanner = new HttpScanner(() => {
    seen.lastAt = now();
    seen.count++;
    if (seen.count === 1) seen.firstAt = seen.lastAt;
    if (seen.count === Math.max(1, warmUp)) seen.warmAt = seen.lastAt;
    socket.write(ANSWER);
    onCount();
  });
  socket.on('data', (chunk) => scanner.push(chunk));
  socket.on('error', () => socket.destroy());
});

serve<SinkTask>(async (task) => {
  switch (task.kind) {
    case 'listen':
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { port: (server.address() as AddressInfo).port };
    case 'reset':
      Object.assign(seen, NOTHING);
      warmUp = task.warmUp ?? 0;
      return {};
    case 'expect':
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, task.limitMs);
        onCount = () => {
          if (seen.count < task.count) return;
          clearTimeout(timer);
          onCount = () => undefined;
          resolve();
        };
        onCount();
      });
      return seen;
  }
});
