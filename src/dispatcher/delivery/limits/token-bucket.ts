/** What may be spent at once, as a share of a second's tokens. */
const BURST = 0.05;
/** With less, whatever a token waits to be taken would be lost; with more, slow rates would be exceeded by too much. */
const leastBurst = (ratePerSecond: number): number => Math.min(2, Math.max(1.5, ratePerSecond * 0.1));
/** How much faster than its rate the bucket fills while it makes up for tokens that could not be taken in time. */
const CATCH_UP = 0.04;
/** Most that it makes up for, in seconds' worth of tokens. */
const MOST_ARREARS = 1;

/**
 * Tokens at a steady rate, few at once. In any second it gives at most a tenth more than its rate (or one token);
 * in the long run it gives the rate, also where each look for tokens comes a little late. It begins empty. Times are milliseconds
 * of a clock that is never set.
 */
export class TokenBucket {
  private readonly capacity: number;
  private tokens = 0;
  private arrears = 0;

  constructor(
    readonly ratePerSecond: number,
    private filledAt: number,
  ) {
    this.capacity = Math.max(leastBurst(ratePerSecond), ratePerSecond * BURST);
  }

  available(now: number): number {
    this.fill(now);
    return Math.max(0, Math.floor(this.tokens));
  }

  take(): void {
    this.tokens -= 1;
  }

  /** A token that was taken and not used. */
  giveBack(): void {
    this.tokens = Math.min(this.capacity, this.tokens + 1);
  }

  /** When it is worth asking again: as many tokens are there as make half a burst. */
  readyInMs(now: number): number {
    this.fill(now);
    const missing = Math.max(1, Math.floor(this.capacity / 2)) - this.tokens;
    return Math.max(0, (missing / this.ratePerSecond) * 1_000);
  }

  private fill(now: number): void {
    const gained = (Math.max(0, now - this.filledAt) / 1_000) * this.ratePerSecond;
    const madeUp = Math.min(this.arrears, gained * CATCH_UP);
    this.filledAt = Math.max(this.filledAt, now);
    this.tokens += gained + madeUp;
    const lost = Math.max(0, this.tokens - this.capacity);
    this.tokens -= lost;
    this.arrears = Math.min(this.ratePerSecond * MOST_ARREARS, this.arrears - madeUp + lost);
  }
}
