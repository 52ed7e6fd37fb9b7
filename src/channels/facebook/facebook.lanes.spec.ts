import { FacebookLanes, type LaneName } from './facebook.lanes';

const MINUTE = 60_000;

function lanesAt(start: number, rules: { specialPages?: string[]; maxTrackedPages?: number } = {}) {
  let time = start;
  const lanes = new FacebookLanes({ spamThreshold: 3, specialPages: [], now: () => time, ...rules });
  return {
    pass: (ms: number) => (time += ms),
    choose: (...pages: [string | undefined, number][]): LaneName => lanes.choose(pages.map(([pageId, items]) => ({ pageId, items }))),
  };
}

describe('the lane', () => {
  it('is spam from the event that goes over the threshold', () => {
    const { choose } = lanesAt(0);
    expect([1, 1, 1, 1].map((items) => choose(['a', items]))).toEqual(['default', 'default', 'default', 'spam']);
    expect(choose(['b', 3])).toBe('default');
    expect(choose(['c', 4])).toBe('spam');
  });

  it('is spam only when all pages are over the threshold', () => {
    const { choose } = lanesAt(0);
    expect(choose(['a', 4], ['b', 1])).toBe('default');
    expect(choose(['a', 1], ['b', 3])).toBe('spam');
    expect(choose(['a', 1], [undefined, 1])).toBe('default');
  });

  it('counts a page of several entries once for each', () => {
    expect(lanesAt(0).choose(['a', 2], ['a', 2])).toBe('spam');
  });

  it('is special when one of the pages is, also in a flood', () => {
    const { choose } = lanesAt(0, { specialPages: ['vip'] });
    expect(choose(['a', 100], ['vip', 1])).toBe('special');
    expect(choose(['vip', 100])).toBe('special');
    expect(choose(['a', 1])).toBe('spam');
  });

  it('is default for a request without pages', () => {
    expect(lanesAt(0).choose()).toBe('default');
  });

  it('forgets what is 30 minutes old, and only that', () => {
    const { choose, pass } = lanesAt(1_000 * MINUTE);
    choose(['a', 2]);
    pass(10 * MINUTE);
    expect(choose(['a', 2])).toBe('spam');
    pass(19 * MINUTE);
    expect(choose(['a', 0])).toBe('spam');
    pass(MINUTE);
    expect(choose(['a', 0])).toBe('default');
    expect(choose(['a', 2])).toBe('spam');
    pass(24 * 60 * MINUTE);
    expect(choose(['a', 3])).toBe('default');
  });

  it('stands a clock that goes back', () => {
    const { choose, pass } = lanesAt(1_000 * MINUTE);
    choose(['a', 3]);
    pass(-5 * MINUTE);
    expect(choose(['a', 1])).toBe('spam');
    pass(34 * MINUTE);
    expect(choose(['a', 0])).toBe('spam');
    pass(MINUTE);
    expect(choose(['a', 0])).toBe('default');
  });

  it('tracks a bounded number of pages and forgets the quietest', () => {
    const { choose } = lanesAt(0, { maxTrackedPages: 2 });
    choose(['a', 3]);
    choose(['b', 3]);
    choose(['a', 0]);
    choose(['c', 1]);
    expect(choose(['a', 1])).toBe('spam');
    expect(choose(['b', 1])).toBe('default');
  });
});
