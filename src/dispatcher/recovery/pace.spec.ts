import { dueSince, nextSliceAt, sliceSizeOf } from './pace';

/** Runs for ten seconds; each slice begins as late as it is told. @returns how many were changed. */
function changedBy(rate: number, lateMs: number): number {
  let changed = 0;
  for (let dueAt = 0; ;) {
    const now = dueAt + lateMs;
    if (now >= 10_000) return changed;
    const since = dueSince(dueAt, now);
    const size = sliceSizeOf(rate, now - since);
    changed += size;
    expect(changed).toBeLessThanOrEqual((rate * now) / 1_000 + sliceSizeOf(rate, 0));
    dueAt = nextSliceAt(since, size, rate);
  }
}

describe('the pace of a job', () => {
  it.each([
    { rate: 1, lateMs: 0, size: 1 },
    { rate: 19, lateMs: 0, size: 1 },
    { rate: 500, lateMs: 0, size: 50 },
    { rate: 500, lateMs: 100, size: 100 },
    { rate: 10, lateMs: 500, size: 6 },
    { rate: 10_000, lateMs: 500, size: 200 },
  ])('at $rate a second a slice that is $lateMs ms late has $size', ({ rate, lateMs, size }) => {
    expect(sliceSizeOf(rate, lateMs)).toBe(size);
  });

  it.each([1, 3, 7, 50, 199, 500, 2_000])('never makes more than %i due a second, but for the slice it begins with', (rate) => {
    expect(changedBy(rate, 0)).toBeGreaterThanOrEqual(rate * 9);
  });

  it.each([1, 10, 100, 400])('keeps a rate of %i up when each slice has to wait for its turn', (rate) => {
    expect(changedBy(rate, 300)).toBeGreaterThanOrEqual(rate * 9);
  });

  it('does not make up for a long wait', () => {
    expect(dueSince(0, 60_000)).toBe(59_500);
    expect(dueSince(100, 50)).toBe(50);
  });

  it('goes on at once where nothing was changed', () => {
    expect(nextSliceAt(5, 0, 1)).toBe(5);
  });
});
