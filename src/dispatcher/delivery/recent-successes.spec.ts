import { RecentSuccesses } from './recent-successes';

describe('RecentSuccesses', () => {
  it('knows whether anything succeeded between two moments, these left out', () => {
    const successes = new RecentSuccesses();
    expect(successes.isAnyBetween(0, Infinity)).toBe(false);
    successes.note(5_000);
    expect(successes.isAnyBetween(4_999, 5_001)).toBe(true);
    expect(successes.isAnyBetween(5_000, 6_000)).toBe(false);
    expect(successes.isAnyBetween(4_000, 5_000)).toBe(false);
  });

  it('keeps a success until an attempt begun after it has surely ended, however many follow', () => {
    const successes = new RecentSuccesses();
    for (let atMs = 0; atMs <= 300_000; atMs += 10) successes.note(atMs);
    expect(successes.isAnyBetween(200_000, 202_000)).toBe(true);
    expect(successes.isAnyBetween(0, 100_000)).toBe(false);
  });

  it('keeps the last one before that, where little is sent', () => {
    const successes = new RecentSuccesses();
    for (const atMs of [0, 1_000_000, 2_000_000]) successes.note(atMs);
    expect(successes.isAnyBetween(900_000, 1_100_000)).toBe(true);
    expect(successes.isAnyBetween(-1, 1)).toBe(false);
  });
});
