import { Backlog } from './backlog';

describe('Backlog', () => {
  const watched = () => {
    const backlog = new Backlog();
    const woken: string[] = [];
    backlog.onWork((kind) => woken.push(kind));
    return { backlog, woken };
  };

  it('asks soon about a delivery that found no slot, once for many', () => {
    const { backlog, woken } = watched();
    backlog.suspect('a');
    backlog.suspect('a');
    expect(woken).toEqual(['claim']);
    expect(backlog.endpoints()).toEqual(['a']);
  });

  it('lets new deliveries queue up behind what is known to wait, until it has been fetched', () => {
    const { backlog } = watched();
    backlog.found('a');
    expect(backlog.isKnown('a')).toBe(false);
    backlog.asking('a');
    backlog.answered('a', true);
    expect(backlog.isKnown('a')).toBe(true);
    backlog.asking('a');
    backlog.answered('a', false);
    expect(backlog.isKnown('a')).toBe(false);
    expect(backlog.endpoints()).toEqual([]);
  });

  it('does not forget what was suspected while the database was asked', () => {
    const { backlog } = watched();
    backlog.suspect('a');
    backlog.asking('a');
    backlog.suspect('a');
    backlog.answered('a', false);
    expect(backlog.endpoints()).toEqual(['a']);
  });

  it('asks when room is freed only where something waits', () => {
    const { backlog, woken } = watched();
    backlog.roomFreed();
    expect(woken).toEqual([]);
    backlog.found('a');
    backlog.roomFreed();
    expect(woken).toEqual(['claim']);
  });

  it('puts an endpoint by until an attempt to it has ended', () => {
    const { backlog, woken } = watched();
    backlog.found('a');
    backlog.park('a', undefined);
    backlog.roomFreed();
    backlog.slotFreed('b');
    expect([backlog.endpoints(), woken]).toEqual([[], []]);
    backlog.slotFreed('a');
    expect([backlog.endpoints(), woken]).toEqual([['a'], ['claim']]);
  });

  it('puts an endpoint by until its time has come', () => {
    const { backlog, woken } = watched();
    backlog.found('a');
    backlog.park('a', 60_000);
    backlog.dueLater('b', 1_000);
    expect([backlog.endpoints(), woken]).toEqual([[], ['claim', 'claim']]);
    expect(backlog.nextAt).toBe(1_000);
    backlog.takeUpParked(999);
    expect(backlog.endpoints()).toEqual([]);
    backlog.takeUpParked(1_000);
    expect(backlog.endpoints()).toEqual(['b']);
    backlog.takeUpParked(Date.now() + 60_010);
    expect(backlog.endpoints()).toEqual(['b', 'a']);
    expect(backlog.nextAt).toBe(Infinity);
  });

  it('knows every time of an endpoint that is near', () => {
    const { backlog } = watched();
    for (const atMs of [2_000, 1_001, 1_003, 3_000]) backlog.dueLater('a', atMs);
    backlog.takeUpParked(1_005);
    expect([backlog.endpoints(), backlog.nextAt]).toEqual([['a'], 2_000]);
    backlog.asking('a');
    backlog.takeUpParked(2_000);
    expect([backlog.endpoints(), backlog.nextAt]).toEqual([['a'], 3_000]);
  });

  it.each([
    ['of what is far away', (backlog: Backlog, forMs: number) => backlog.dueLater('a', Date.now() + forMs)],
    ['of what has no room', (backlog: Backlog, forMs: number) => backlog.park('a', forMs)],
  ])('knows the earliest time only %s', (_, wait) => {
    const { backlog } = watched();
    wait(backlog, 60_000);
    const first = backlog.nextAt;
    wait(backlog, 120_000);
    backlog.takeUpParked(first);
    expect([backlog.endpoints(), backlog.nextAt]).toEqual([['a'], Infinity]);
  });
});
