import type { DeliveryStatus } from '../core/hook-event';
import { type EventState, LedgerTally, eventStateOf } from './ledger-delta';

describe('the state of an event', () => {
  it.each<{ statuses: DeliveryStatus[]; state: EventState }>([
    { statuses: ['pending'], state: 'pending' },
    { statuses: ['waiting'], state: 'pending' },
    { statuses: ['delivered'], state: 'delivered' },
    { statuses: ['dead'], state: 'dead' },
    { statuses: ['cancelled'], state: 'cancelled' },
    { statuses: ['dead', 'cancelled', 'waiting', 'delivered'], state: 'pending' },
    { statuses: ['delivered', 'cancelled', 'dead'], state: 'dead' },
    { statuses: ['delivered', 'cancelled'], state: 'cancelled' },
    { statuses: ['delivered', 'delivered'], state: 'delivered' },
  ])('$statuses is $state', ({ statuses, state }) => {
    expect(eventStateOf(statuses)).toBe(state);
    expect(eventStateOf([...statuses].reverse())).toBe(state);
  });
});

describe('the tally', () => {
  it('keeps one row a source, with what changed', () => {
    const tally = new LedgerTally();
    tally.accept('facebook', 'pending', 2);
    tally.accept('facebook', 'duplicate');
    tally.accept('events', 'filtered');
    tally.move('facebook', 'pending', 'delivered');
    tally.doorDispatched('facebook');
    expect(tally.rows()).toEqual([
      expect.objectContaining({ source: 'facebook', accepted: 3, pending: 1, delivered: 1, duplicate: 1, door_dispatched: 1 }),
      expect.objectContaining({ source: 'events', accepted: 1, filtered: 1, door_dispatched: 0 }),
    ]);
  });

  it('has no row where nothing changed in the end', () => {
    const tally = new LedgerTally();
    tally.accept('facebook', 'duplicate', 0);
    tally.move('facebook', 'pending', 'pending');
    tally.move('facebook', 'pending', 'dead');
    tally.move('facebook', 'dead', 'pending');
    expect(tally.rows()).toEqual([]);
  });

  it('balances after any number of changes', () => {
    const tally = new LedgerTally();
    const states: EventState[] = ['delivered', 'filtered', 'duplicate', 'dead', 'cancelled', 'pending'];
    for (const from of states) {
      tally.accept('facebook', from, 3);
      for (const to of states) tally.move('facebook', from, to);
    }
    for (const row of LedgerTally.of([...tally.rows(), ...tally.rows()]).rows()) {
      expect(row.accepted).toBe(36);
      expect(states.reduce((sum, state) => sum + row[state], 0)).toBe(row.accepted);
    }
  });
});
