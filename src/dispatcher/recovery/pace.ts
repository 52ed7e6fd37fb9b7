/** Most that one transaction changes. */
const MAX_SLICE = 200;
const SLICES_PER_SECOND = 10;
/** A slice that had to wait for its turn makes up for so long. */
const MAX_LATE_MS = 500;

/** A job's schedule: when its next slice was due, as far as it may still be made up for. Milliseconds since 1970. */
export const dueSince = (dueAtMs: number, nowMs: number): number => Math.min(nowMs, Math.max(dueAtMs, nowMs - MAX_LATE_MS));

/**
 * How many deliveries a slice may change, so that a rate comes about evenly: a tenth of a second's, but at least one, and what it
 * is late with.
 */
export function sliceSizeOf(ratePerSecond: number, lateMs: number): number {
  const usual = Math.max(1, Math.floor(ratePerSecond / SLICES_PER_SECOND));
  return Math.min(MAX_SLICE, usual + Math.floor((ratePerSecond * lateMs) / 1_000));
}

/** When the next slice is due, after one that was due then and changed so many. Milliseconds since 1970. */
export const nextSliceAt = (dueAtMs: number, changed: number, ratePerSecond: number): number =>
  dueAtMs + Math.ceil((changed * 1_000) / ratePerSecond);
