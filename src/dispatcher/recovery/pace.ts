/** Most that one transaction changes. */
const MAX_SLICE = 200;
const SLICES_PER_SECOND = 10;

/** How many deliveries a slice may change, so that a rate comes about evenly: a tenth of a second's, but at least one. */
export const sliceSizeOf = (ratePerSecond: number): number =>
  Math.max(1, Math.min(MAX_SLICE, Math.floor(ratePerSecond / SLICES_PER_SECOND)));

/** When the next slice may begin, after one that began then and changed so many. Milliseconds since 1970. */
export const nextSliceAt = (beganAtMs: number, changed: number, ratePerSecond: number): number =>
  beganAtMs + Math.ceil((changed * 1_000) / ratePerSecond);
