import { performance } from 'node:perf_hooks';
import type { Dispatcher } from 'undici';
import type { AttemptEnd } from '../retry-policy';
import type { Connection } from './connection-pool';
import { failureCodeOf } from './failure-code';

const MAX_READ_BYTES = 16 * 1_024;
const MAX_KEPT_BYTES = 4 * 1_024;

/** How one attempt ended, as it is recorded. */
export interface AttemptResult extends AttemptEnd {
  /** When it began, in milliseconds since 1970. */
  at: number;
  durationMs: number;
  /** The address that was connected to; null when none was. */
  address: string | null;
  /** The first 4 KiB of the answer's body, as they came; null when there are none. */
  responseHead: Buffer | null;
}

/**
 * Reads one answer. The status line decides; the body is for the record only, so an answer that is too large, that is cut off or
 * that never ends is what its status says. `done` is called once; with `reusable` when the connection may serve another attempt.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  private readonly at = Date.now();
  private readonly startedAt = performance.now();
  private readonly timer: NodeJS.Timeout;
  private status: number | null = null;
  private retryAfter: string | null = null;
  private address: string | null = null;
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  private readBytes = 0;
  private ended = false;

  constructor(
    private readonly connection: Connection,
    timeoutMs: number,
    private readonly done: (result: AttemptResult, reusable: boolean) => void,
  ) {
    this.timer = setTimeout(() => this.end('timeout', false), timeoutMs);
  }

  /** Called when the connection stands and the request is about to be written. */
  onRequestStart(): void {
    this.address = this.connection.address;
  }

  onResponseStart(_controller: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    // Interim answers (103) come before the real one.
    if (status < 200) return;
    this.status = status;
    const retryAfter = headers['retry-after'];
    this.retryAfter = (Array.isArray(retryAfter) ? retryAfter[0] : retryAfter) ?? null;
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.readBytes += chunk.length;
    const room = MAX_KEPT_BYTES - this.keptBytes;
    if (room > 0) {
      // A copy, since the chunk is a part of a larger buffer that would be held with it.
      const head = Buffer.from(chunk.subarray(0, room));
      this.kept.push(head);
      this.keptBytes += head.length;
    }
    if (this.readBytes >= MAX_READ_BYTES) this.end('invalid_response', false);
  }

  onResponseEnd(): void {
    this.end('invalid_response', true);
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.end(failureCodeOf(error), false);
  }

  cancel(): void {
    this.end('cancelled', false);
  }

  private end(failure: string, reusable: boolean): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    const result: AttemptResult = {
      at: this.at,
      durationMs: Math.round(performance.now() - this.startedAt),
      status: this.status,
      code: this.status === null ? failure : String(this.status),
      retryAfter: this.retryAfter,
      address: this.address,
      responseHead: this.keptBytes === 0 ? null : Buffer.concat(this.kept, this.keptBytes),
    };
    this.done(result, reusable);
  }
}
