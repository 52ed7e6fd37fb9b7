import { nextSliceAt, sliceSizeOf } from './pace';

describe('the pace of a job', () => {
  it.each([
    { rate: 1, size: 1 },
    { rate: 19, size: 1 },
    { rate: 500, size: 50 },
    { rate: 10_000, size: 200 },
  ])('at $rate a second a slice has $size', ({ rate, size }) => {
    expect(sliceSizeOf(rate)).toBe(size);
  });

  it.each([1, 3, 7, 50, 199, 500, 2_001, 10_000])('never makes more than %i due a second, but for the slice it begins with', (rate) => {
    let changed = 0;
    for (let atMs = 0; atMs < 10_000;) {
      const size = sliceSizeOf(rate);
      changed += size;
      expect(changed).toBeLessThanOrEqual((rate * atMs) / 1_000 + size);
      atMs = nextSliceAt(atMs, size, rate);
    }
    expect(changed).toBeGreaterThanOrEqual(rate * 9);
  });

  it('goes on at once where nothing was changed', () => {
    expect(nextSliceAt(5, 0, 1)).toBe(5);
  });
});
