import { isOurFault, isThrottled } from '../retry-policy';

export type CircuitState = 'closed' | 'open' | 'half-open';

/** `failed`: it tells of the endpoint's health; `answered`: the endpoint is there, whatever it thinks of this event; `ours`: we made no attempt. */
export type AttemptHealth = 'answered' | 'failed' | 'ours';

/** Attempts are counted over the present half of the window and the one before. */
export const WINDOW_MS = 30_000;
const FAILURE_RATIO = 0.5;
const FIRST_OPEN_MS = 5_000;
const LONGEST_OPEN_MS = 60_000;
const UNWANTED_MS = 600_000;

/**
 * Of an attempt that ended, by what it was answered. A 500 is an answer: it may be about this event alone, and its delivery is to go
 * through its schedule and be dead in the end.
 */
export function healthOf(end: { status: number | null; code: string } | undefined): AttemptHealth {
  if (end === undefined || isOurFault(end.code)) return 'ours';
  return end.status === null || isThrottled(end.status) ? 'failed' : 'answered';
}

/**
 * Whether an endpoint may be tried at all: opens when at least half of its latest attempts failed, then lets one probe through after a
 * while, which closes it or keeps it open for twice as long. Times are milliseconds of a clock that is never set.
 */
export class Circuit {
  state: CircuitState = 'closed';
  private openings = 0;
  private changedAt = -Infinity;
  private openUntil = -Infinity;
  /** A probe was begun and has not ended; it may have been given back. */
  private isProbing = false;
  private probedAt = -Infinity;
  private halfSince = 0;
  private present = { answered: 0, failed: 0 };
  private before = { answered: 0, failed: 0 };

  /** @param minAttempts in the window; with fewer it never opens. */
  constructor(private readonly minAttempts: number) {}

  /**
   * Whether an attempt may begin now.
   * @param isIdle None is under way or about to begin; a probe that has not ended was given back then, and another one may begin.
   */
  isPassable(now: number, isIdle: boolean): boolean {
    if (this.state === 'closed') return true;
    return now >= this.openUntil && (isIdle || !this.isProbing);
  }

  /** Until a probe may begin; 0 when one may, or when one is under way. */
  probeInMs(now: number): number {
    return this.state === 'closed' ? 0 : Math.max(0, this.openUntil - now);
  }

  begin(now: number): void {
    if (this.state === 'closed') return;
    this.state = 'half-open';
    this.isProbing = true;
    this.probedAt = now;
  }

  /** @returns whether this opened or closed it. */
  ended(health: AttemptHealth, startedAt: number, now: number): boolean {
    if (this.state === 'closed') return this.count(health, now);
    // Of before it opened: known already.
    if (startedAt < this.changedAt) return false;
    this.isProbing = false;
    if (health === 'answered') this.close(now);
    else this.open(now);
    return health === 'answered';
  }

  /** Nothing is known of it that a new one would not know, or nobody has wanted to know for long. */
  isForgettable(now: number): boolean {
    if (this.state !== 'closed') return now - Math.max(this.openUntil, this.probedAt) > UNWANTED_MS;
    return now - this.halfSince > WINDOW_MS && now - this.changedAt > WINDOW_MS;
  }

  private count(health: AttemptHealth, now: number): boolean {
    if (health === 'ours') return false;
    this.slide(now);
    this.present[health] += 1;
    const failed = this.present.failed + this.before.failed;
    const attempts = failed + this.present.answered + this.before.answered;
    if (health !== 'failed' || attempts < this.minAttempts || failed < attempts * FAILURE_RATIO) return false;
    // Failing again as soon as it was closed is no new trouble.
    if (now - this.changedAt > WINDOW_MS) this.openings = 0;
    this.open(now);
    return true;
  }

  private slide(now: number): void {
    const halves = Math.floor((now - this.halfSince) / (WINDOW_MS / 2));
    if (halves <= 0) return;
    this.before = halves === 1 ? this.present : { answered: 0, failed: 0 };
    this.present = { answered: 0, failed: 0 };
    this.halfSince = halves === 1 ? this.halfSince + WINDOW_MS / 2 : now;
  }

  private open(now: number): void {
    this.state = 'open';
    this.changedAt = now;
    this.openUntil = now + Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** this.openings);
    this.openings += 1;
  }

  private close(now: number): void {
    this.state = 'closed';
    this.changedAt = now;
    this.halfSince = now;
    this.present = { answered: 0, failed: 0 };
    this.before = { answered: 0, failed: 0 };
  }
}
