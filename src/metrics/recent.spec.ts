import { Recent } from './recent';

const LIMITS = { maxAgeMs: 60_000, timeLimitMs: 60_000 };

it('asks once for all who want to know at once, and not again while the answer is fresh', async () => {
  let asked = 0;
  const recent = new Recent(() => Promise.resolve(++asked), 0, LIMITS);
  expect(await Promise.all([recent.get(), recent.get(), recent.get()])).toEqual([1, 1, 1]);
  expect(await recent.get()).toBe(1);
});

it('asks again when the answer is old', async () => {
  let asked = 0;
  const recent = new Recent(() => Promise.resolve(++asked), 0, { ...LIMITS, maxAgeMs: 0 });
  expect([await recent.get(), await recent.get()]).toEqual([1, 2]);
});

it('says the unknown when asking fails', async () => {
  expect(await new Recent(() => Promise.reject(new Error('away')), -1, LIMITS).get()).toBe(-1);
});

it('says the unknown when no answer comes in time, and asks no second time meanwhile', async () => {
  let asked = 0;
  const never = (): Promise<number> => (asked++, new Promise(() => undefined));
  const recent = new Recent(never, -1, { maxAgeMs: 0, timeLimitMs: 5 });
  expect([await recent.get(), await recent.get()]).toEqual([-1, -1]);
  expect(asked).toBe(1);
});
