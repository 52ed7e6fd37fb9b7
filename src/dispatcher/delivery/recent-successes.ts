/** Longer than any attempt takes. */
const KEPT_MS = 180_000;
/** Successes that are no further apart are one. */
const APART_MS = 1_000;

/** When this process reached a receiver lately: it tells receivers that fail from a gateway that reaches nobody. */
export class RecentSuccesses {
  /** In milliseconds since 1970, oldest first. */
  private times: number[] = [];

  note(atMs: number): void {
    const last = this.times.at(-1);
    if (last !== undefined && atMs - last < APART_MS) return;
    this.times.push(atMs);
    const firstKept = this.times.findIndex((time) => time >= atMs - KEPT_MS);
    // The last one before stays: where little is sent, it is all there is.
    if (firstKept > 1) this.times = this.times.slice(firstKept - 1);
  }

  isAnyBetween(afterMs: number, beforeMs: number): boolean {
    return this.times.some((time) => time > afterMs && time < beforeMs);
  }
}
