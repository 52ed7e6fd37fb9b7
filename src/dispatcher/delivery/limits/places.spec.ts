import { Places } from './places';

/** Takes as many as there is room for, at most so many. @returns how many. */
function fill(places: Places, endpointId: string, accountId = endpointId, most = Infinity): number {
  let taken = 0;
  while (taken < most && places.roomFor(endpointId, accountId) > 0) {
    places.take(endpointId, accountId, 0);
    taken += 1;
  }
  return taken;
}

/** One attempt of the endpoint that took so long. */
function attempt(places: Places, endpointId: string, durationMs: number, accountId = endpointId): void {
  places.take(endpointId, accountId, 0);
  places.ended(endpointId, durationMs);
  places.settled(accountId);
}

describe('Places', () => {
  it('let one account take four fifths, and leave each further one its share', () => {
    const places = new Places(1_000);
    attempt(places, 'a', 5, 'A');
    attempt(places, 'b', 5, 'B');
    expect(fill(places, 'a', 'A')).toBe(800);
    expect(fill(places, 'b', 'B')).toBe(160);
    expect(places.free).toBe(40);
  });

  it('say how many may be taken, and let that many be taken', () => {
    for (const most of [0, 5, 100, 700]) {
      const places = new Places(1_000);
      attempt(places, 'a', 5);
      fill(places, 'a', 'a', most);
      const room = places.roomFor('a', 'a');
      expect(fill(places, 'a', 'a', room)).toBe(room);
    }
  });

  it('are few but never none for a process that has few', () => {
    for (const count of [1, 2, 3]) expect(fill(new Places(count), 'a')).toBeGreaterThan(0);
  });

  it.each([10, 50, 100, 300])('leave half to the others when %d endpoints hang', (hanging) => {
    const places = new Places(1_000);
    const ids = Array.from({ length: hanging }, (_, index) => `hanging ${index}`);
    for (const id of ids) attempt(places, id, 15_000);
    let held = 0;
    for (let round = 0; round < 100; round++) for (const id of ids) held += fill(places, id, id, 1);
    expect(held).toBeLessThanOrEqual(500);
    attempt(places, 'healthy', 5);
    expect(places.roomFor('healthy', 'healthy')).toBeGreaterThan(300);
  });

  it('have some for a new endpoint, although hundreds hang', () => {
    const places = new Places(1_000);
    for (let i = 0; i < 500; i++) {
      attempt(places, `hanging ${i}`, 15_000);
      fill(places, `hanging ${i}`, 'H', 1);
    }
    expect(places.roomFor('new', 'new')).toBeGreaterThan(10);
  });

  it('let an endpoint that was slow once show that it is not, although others hold all that slow ones may', () => {
    const places = new Places(1_000);
    for (let i = 0; i < 50; i++) fill(places, `hanging ${i}`);
    places.overdue(new Map(Array.from({ length: 50 }, (_, i) => [`hanging ${i}`, 1_000])), 1_000);
    attempt(places, 'slow once', 1_500);
    expect(places.roomFor('slow once', 'slow once')).toBe(1);
    attempt(places, 'slow once', 5);
    expect(places.roomFor('slow once', 'slow once')).toBeGreaterThan(100);
  });

  it('keep an eighth for endpoints that answer, whatever hangs', () => {
    const places = new Places(1_000);
    attempt(places, 'healthy', 5);
    for (let i = 0; i < 2_000; i++) fill(places, `hanging ${i}`);
    expect(places.free).toBeGreaterThanOrEqual(125);
    expect(places.roomFor('healthy', 'healthy')).toBeGreaterThanOrEqual(100);
  });

  it('count an endpoint as slow as soon as its attempts do not come back', () => {
    const places = new Places(1_000);
    attempt(places, 'a', 5);
    expect(fill(places, 'a', 'a', 400)).toBe(400);
    places.overdue(new Map([['a', 100]]), 1_000);
    expect(places.isQuick('a')).toBe(true);
    places.overdue(new Map([['a', 200]]), 1_000);
    expect(places.isQuick('a')).toBe(false);
    expect(places.roomFor('a', 'a')).toBe(0);
    // Of the half, a quarter of what it leaves.
    attempt(places, 'b', 15_000);
    expect(places.roomFor('b', 'b')).toBe(25);
    places.ended('a', 5);
    expect(places.isQuick('a')).toBe(true);
    expect(places.roomFor('b', 'b')).toBe(125);
  });

  it('forget endpoints that are not used', () => {
    const places = new Places(10);
    attempt(places, 'a', 5);
    places.overdue(new Map(), 200_000);
    expect(places.isQuick('a')).toBe(false);
  });

  it('are all free in the end', () => {
    const places = new Places(100);
    for (const [id, durationMs] of [
      ['a', 5],
      ['b', 5_000],
      ['c', undefined],
    ] as const) {
      const taken = fill(places, id);
      for (let i = 0; i < taken; i++) {
        places.ended(id, durationMs);
        places.settled(id);
      }
    }
    expect(places.free).toBe(100);
    attempt(places, 'b', 5);
    // Nothing is counted as slow any more: a new endpoint gets its quarter of three quarters.
    expect(places.roomFor('new', 'new')).toBe(18);
  });
});
