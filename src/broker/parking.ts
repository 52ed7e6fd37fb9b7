import type { IncomingMessage } from './broker';

const FIRST_DELAY_MS = 20;
const GROWTH = 1.35;

/**
 * Wait before a message that failed goes back to the queue: from 20 ms up to `maxMs`. With 1 s as the maximum a poison message
 * is dead after its 30 tries in about 20 s, and never spins.
 * @param redeliveries How often it was handed out before.
 */
export const retryDelayMs = (redeliveries: number, maxMs: number): number => Math.min(FIRST_DELAY_MS * GROWTH ** redeliveries, maxMs);

/** Failed messages on their way back to the queue. They take no place in a group; too many, and the longest parked goes at once. */
export class Parking<M extends IncomingMessage> {
  private readonly timers = new Map<M, NodeJS.Timeout>();
  private bytes = 0;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
    private readonly giveBack: (message: M) => void,
  ) {}

  get size(): number {
    return this.timers.size;
  }

  park(message: M, delayMs: number): void {
    this.timers.set(
      message,
      setTimeout(() => this.release(message), delayMs),
    );
    this.bytes += message.body.length;
    for (const oldest of this.timers.keys()) {
      if (this.timers.size <= this.maxMessages && this.bytes <= this.maxBytes) break;
      this.release(oldest);
    }
  }

  releaseAll(): void {
    for (const message of [...this.timers.keys()]) this.release(message);
  }

  /** Forgets them: the broker has them back already. */
  clear(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.bytes = 0;
  }

  private release(message: M): void {
    clearTimeout(this.timers.get(message));
    this.timers.delete(message);
    this.bytes -= message.body.length;
    this.giveBack(message);
  }
}
