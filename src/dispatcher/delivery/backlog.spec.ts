import { Backlog } from './backlog';
import { DeliverySlots } from './delivery-slots';
import type { DeliveryConfig } from './delivery.config';

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
});

describe('DeliverySlots', () => {
  const slots = () => new DeliverySlots({ concurrency: 3, maxInFlightPerEndpoint: 2, maxInFlightBytes: 100 } as DeliveryConfig);

  it('are bounded for an endpoint and in all', () => {
    const taken = slots();
    expect([taken.take('a'), taken.take('a'), taken.take('a'), taken.take('b'), taken.take('b')]).toEqual([true, true, false, true, false]);
  });

  it('of an endpoint are free when the attempt has ended, in all when it is settled', () => {
    const taken = slots();
    taken.take('a');
    taken.take('a');
    taken.take('b');
    taken.attemptEnded('a');
    expect(taken.roomOf('a')).toBe(1);
    expect(taken.take('a')).toBe(false);
    taken.settled(0);
    expect(taken.take('a')).toBe(true);
  });

  it('are none while the bodies in hand are too large', () => {
    const taken = slots();
    taken.take('a');
    taken.addBytes(100);
    expect(taken.take('b')).toBe(false);
    expect(taken.freeBytes).toBe(0);
    taken.settled(100);
    expect(taken.take('b')).toBe(true);
  });
});
