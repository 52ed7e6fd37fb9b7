import { SharedRead } from './shared-read';

/** Reads a number that others count up; a read ends when it is told to. */
class Reads {
  committed = 0;
  seen = 0;
  count = 0;
  private ends: (() => void)[] = [];
  readonly shared = new SharedRead(async () => {
    this.count += 1;
    const read = this.committed;
    await new Promise<void>((resolve, reject) => this.ends.push(() => (this.fails ? reject(new Error('away')) : resolve())));
    this.seen = read;
  });
  fails = false;

  end(): void {
    this.ends.shift()?.();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('a read that began before a change does not stand for it; all who come meanwhile share the next', async () => {
  const reads = new Reads();
  const first = reads.shared.fresh();
  reads.committed = 1;
  const later = [reads.shared.fresh(), reads.shared.fresh(), reads.shared.fresh()];
  reads.end();
  await first;
  expect(reads.seen).toBe(0);
  await turn();
  reads.end();
  await Promise.all(later);
  expect([reads.seen, reads.count]).toEqual([1, 2]);
});

it('a failure is told to all who wait, and the next call reads again', async () => {
  const reads = new Reads();
  reads.fails = true;
  const asked = Promise.allSettled([reads.shared.fresh(), reads.shared.fresh()]);
  reads.end();
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  reads.fails = false;
  const again = reads.shared.fresh();
  reads.end();
  await again;
  expect(reads.count).toBe(2);
});

describe('for strangers', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] }));
  afterEach(() => jest.useRealTimers());

  it('reads 20 times a second at most, however many ask', async () => {
    let count = 0;
    const shared = new SharedRead(() => {
      count += 1;
      return Promise.resolve();
    });
    const answered: Promise<void>[] = [];
    for (let ms = 0; ms < 1_000; ms += 1) {
      for (let asked = 0; asked < 5; asked += 1) answered.push(shared.freshForStrangers());
      await jest.advanceTimersByTimeAsync(1);
    }
    await jest.advanceTimersByTimeAsync(100);
    await Promise.all(answered);
    expect(count).toBeLessThanOrEqual(21);
    expect(count).toBeGreaterThanOrEqual(19);
  });

  it('whoever asks sees what was committed before', async () => {
    let committed = 0;
    let seen = 0;
    const shared = new SharedRead(() => {
      seen = committed;
      return Promise.resolve();
    });
    for (committed = 1; committed <= 20; committed += 1) {
      const asked = shared.freshForStrangers();
      await jest.advanceTimersByTimeAsync(50);
      await asked;
      expect(seen).toBe(committed);
    }
  });

  it('others do not wait for them', async () => {
    const shared = new SharedRead(() => Promise.resolve());
    void shared.freshForStrangers();
    await jest.advanceTimersByTimeAsync(0);
    void shared.freshForStrangers();
    await expect(shared.fresh()).resolves.toBeUndefined();
    await jest.advanceTimersByTimeAsync(50);
  });
});
