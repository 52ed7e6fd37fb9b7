import { Prefetch } from './prefetch';

const MIB = 1024 * 1024;

const observeMany = (prefetch: Prefetch, count: number, bytes: number): void => {
  for (let index = 0; index < count; index += 1) prefetch.observe(bytes);
};

describe('Prefetch', () => {
  it('begins with what fits if every message is as large as can be', () => {
    expect(new Prefetch(24 * MIB, 1_000).current).toBe(8);
    expect(new Prefetch(1, 1_000).current).toBe(4);
    expect(new Prefetch(24 * MIB, 2).current).toBe(2);
  });

  it('takes as many as are useful when messages are small', () => {
    const prefetch = new Prefetch(24 * MIB, 1_000);
    observeMany(prefetch, 8, 1_024);
    expect(prefetch.current).toBe(1_000);
  });

  it('keeps to its bytes for messages in between, and shrinks when they grow', () => {
    const prefetch = new Prefetch(24 * MIB, 1_000);
    observeMany(prefetch, 8, 100 * 1_024);
    expect(prefetch.current).toBe(122);
    observeMany(prefetch, 2_000, MIB);
    expect(prefetch.current).toBeLessThanOrEqual(24);
  });

  it('asks to subscribe again for large changes only', () => {
    const prefetch = new Prefetch(24 * MIB, 1_000);
    observeMany(prefetch, 8, 100 * 1_024);
    let asked = 0;
    for (let index = 0; index < 1_000; index += 1) if (prefetch.observe(110 * 1_024)) asked += 1;
    expect(asked).toBe(0);
  });
});
