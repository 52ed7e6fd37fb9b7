import { TokenBucket } from './token-bucket';

/** Takes what there is at each look. @returns when each token was taken, in ms. */
function spend(bucket: TokenBucket, [from, to]: readonly [number, number], lateMs: (look: number) => number): number[] {
  const taken: number[] = [];
  let look = 0;
  for (let now = from; now < to; now += Math.max(1, bucket.readyInMs(now)) + lateMs(++look)) {
    for (let left = bucket.available(now); left > 0; left--) {
      bucket.take(now);
      taken.push(now);
    }
  }
  return taken;
}

function mostInAnySecond(times: readonly number[]): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] as number) - (times[from] as number) >= 1_000) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

describe('TokenBucket', () => {
  it('begins empty', () => {
    expect(new TokenBucket(1_000, 0).available(0)).toBe(0);
  });

  describe.each([1, 10, 30, 100, 1_000])('of %d a second', (rate) => {
    it.each([
      { title: 'in time', lateMs: () => 0 },
      { title: '20 ms late', lateMs: () => 20 },
      { title: 'now and then 300 ms late', lateMs: (look: number) => (look % 200 === 0 ? 300 : 5) },
    ])('gives its rate and never a tenth more, asked $title', ({ lateMs }) => {
      const times = spend(new TokenBucket(rate, 0), [0, 60_000], lateMs);
      expect(mostInAnySecond(times)).toBeLessThanOrEqual(Math.floor(rate * 1.1));
      expect(times.length).toBeGreaterThan(rate * 60 * 0.97 - 1);
    });

    it('gives no more than that after a long rest', () => {
      const bucket = new TokenBucket(rate, 0);
      bucket.available(3_600_000);
      expect(mostInAnySecond(spend(bucket, [3_600_000, 3_660_000], () => 0))).toBeLessThanOrEqual(Math.floor(rate * 1.1));
    });
  });

  it('takes back what was not used', () => {
    const bucket = new TokenBucket(1, 0);
    expect(bucket.available(1_000)).toBe(1);
    bucket.take(1_000);
    expect(bucket.available(1_000)).toBe(0);
    bucket.giveBack();
    expect(bucket.available(1_000)).toBe(1);
  });

  it('counts a second from when its tokens are used', () => {
    const bucket = new TokenBucket(2, 0);
    bucket.isAwaited = true;
    expect(bucket.available(1_000)).toBe(2);
    bucket.take(1_000);
    bucket.take(1_000);
    bucket.giveBack();
    bucket.used(1_600);
    expect(bucket.available(2_500)).toBe(1);
    bucket.take(2_500);
    bucket.used(2_500);
    expect([bucket.available(2_599), bucket.available(2_600)]).toEqual([0, 1]);
  });

  it('counts from their use also those that are taken after one was given back that had been used', () => {
    const bucket = new TokenBucket(2, 0);
    bucket.isAwaited = true;
    expect(bucket.available(1_000)).toBe(2);
    bucket.take(1_000);
    bucket.used(1_000);
    bucket.giveBack();
    bucket.take(1_000);
    bucket.take(1_000);
    bucket.used(1_600);
    expect([bucket.available(2_599), bucket.available(2_600)]).toEqual([0, 2]);
  });
});
