/** What may be spent at once after a rest, as a share of a second's tokens. */
const BURST = 0.05;
/** Most that is spent in any second, over the rate: room to make up for tokens that were asked for too late. */
const OVERDRAFT = 0.08;
/** After so long without anybody who wants a token, no more are there than may be spent at once. */
const RESTED_MS = 1_000;

/**
 * Tokens at a steady rate, few at once. Those that waited for somebody who wanted them and came late are not lost, but never are more
 * than 8 % over the rate spent in any second. It fills from `filledAt` on. Times are milliseconds of a clock that is never set.
 */
export class TokenBucket {
  private readonly capacity: number;
  private tokens = 0;
  /** When the latest tokens were taken, as many as may be in a second; `next` is the one of longest ago. */
  private readonly taken: Float64Array;
  private next = 0;
  /** Of these, the latest that are not used yet. */
  private unused = 0;
  /** Somebody wants more than there was. */
  isAwaited = false;

  constructor(
    readonly ratePerSecond: number,
    private filledAt: number,
  ) {
    this.capacity = Math.max(1, ratePerSecond * BURST);
    this.taken = new Float64Array(Math.max(1, Math.floor(ratePerSecond * (1 + OVERDRAFT)))).fill(-Infinity);
  }

  available(now: number): number {
    this.fill(now);
    const most = Math.min(Math.floor(this.tokens), this.taken.length);
    let count = 0;
    while (count < most && now - this.takenAt(count) >= 1_000) count += 1;
    return count;
  }

  take(now: number): void {
    this.tokens -= 1;
    this.unused += 1;
    this.taken[this.next] = now;
    this.next = this.placeOf(1);
  }

  /** What was taken has been used by now; seconds are counted from here. */
  used(now: number): void {
    for (; this.unused > 0; this.unused--) this.taken[this.placeOf(-this.unused)] = now;
  }

  /** A token that was taken and is not needed, `used` or not. */
  giveBack(): void {
    this.tokens += 1;
    this.unused = Math.max(0, this.unused - 1);
    this.next = this.placeOf(-1);
    this.taken[this.next] = -Infinity;
  }

  /** When it is worth asking again: as many tokens are there as make half a burst. Who is told to wait is awaited. */
  readyInMs(now: number): number {
    this.fill(now);
    const wanted = Math.max(1, Math.floor(this.capacity / 2));
    const untilFilledMs = ((wanted - this.tokens) / this.ratePerSecond) * 1_000;
    const untilSpentMs = this.takenAt(wanted - 1) + 1_000 - now;
    const waitMs = Math.max(0, untilFilledMs, untilSpentMs);
    this.isAwaited ||= waitMs > 0;
    return waitMs;
  }

  /** @param place from 0, the longest ago of those that count. */
  private takenAt(place: number): number {
    return this.taken[this.placeOf(place)] as number;
  }

  private placeOf(place: number): number {
    return (this.next + place + this.taken.length) % this.taken.length;
  }

  private fill(now: number): void {
    const restedMs = Math.max(0, now - this.filledAt);
    this.filledAt += restedMs;
    const most = this.isAwaited ? this.ratePerSecond : Math.max(this.capacity, restedMs > RESTED_MS ? 0 : this.tokens);
    this.tokens = Math.min(most, this.tokens + (restedMs / 1_000) * this.ratePerSecond);
  }
}
