import { type AttemptHealth, Circuit, healthOf } from './circuit';

const closedAfter = (ends: readonly AttemptHealth[], now = 100): Circuit => {
  const circuit = new Circuit(20);
  for (const health of ends) circuit.ended(health, now, now);
  return circuit;
};
const times = (count: number, health: AttemptHealth): AttemptHealth[] => Array<AttemptHealth>(count).fill(health);

describe('Circuit', () => {
  it.each([
    { title: '20 failures', ends: times(20, 'failed'), state: 'open' },
    { title: '19 failures', ends: times(19, 'failed'), state: 'closed' },
    { title: 'half of 40', ends: [...times(20, 'answered'), ...times(20, 'failed')], state: 'open' },
    { title: 'less than half', ends: [...times(30, 'answered'), ...times(29, 'failed')], state: 'closed' },
    { title: 'failures of our own', ends: times(100, 'ours'), state: 'closed' },
    { title: 'a recovery', ends: [...times(19, 'failed'), ...times(20, 'answered')], state: 'closed' },
  ] as const)('after $title is $state', ({ ends, state }) => {
    expect(closedAfter(ends).state).toBe(state);
  });

  it('forgets failures of longer ago than its window', () => {
    const circuit = closedAfter(times(19, 'failed'));
    circuit.ended('failed', 60_000, 60_000);
    expect(circuit.state).toBe('closed');
    const slow = new Circuit(20);
    for (let now = 0; now < 600_000; now += 2_000) slow.ended('failed', now, now);
    expect(slow.state).toBe('closed');
  });

  it('lets one probe through after 5 s, which closes it', () => {
    const circuit = closedAfter(times(20, 'failed'));
    expect([circuit.isPassable(5_099, false), circuit.probeInMs(5_000)]).toEqual([false, 100]);
    expect(circuit.isPassable(5_100, false)).toBe(true);
    circuit.begin(5_100);
    expect([circuit.state, circuit.isPassable(5_100, false)]).toEqual(['half-open', false]);
    expect(circuit.ended('answered', 5_100, 5_200)).toBe(true);
    expect([circuit.state, circuit.isPassable(5_200, false)]).toEqual(['closed', true]);
  });

  it('stays open twice as long after each probe that failed, a minute at most', () => {
    const circuit = closedAfter(times(20, 'failed'), 0);
    const waits: number[] = [];
    for (let now = 0, round = 0; round < 7; round++) {
      const wait = circuit.probeInMs(now);
      waits.push(wait);
      now += wait;
      circuit.begin(now);
      expect(circuit.ended(round % 2 === 0 ? 'failed' : 'ours', now, now)).toBe(false);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('begins with a short time again once it has been closed for a while, not before', () => {
    const circuit = closedAfter(times(20, 'failed'), 0);
    const failAgain = (now: number): number => {
      circuit.begin(now);
      circuit.ended('answered', now, now);
      for (let i = 0; i < 20; i++) circuit.ended('failed', now, now);
      return circuit.probeInMs(now);
    };
    expect(failAgain(5_000)).toBe(10_000);
    circuit.begin(15_000);
    circuit.ended('answered', 15_000, 15_000);
    for (let i = 0; i < 20; i++) circuit.ended('failed', 60_000, 60_000);
    expect(circuit.probeInMs(60_000)).toBe(5_000);
  });

  it('does not take the end of an attempt of before for its probe’s', () => {
    const circuit = closedAfter(times(20, 'failed'));
    circuit.begin(5_100);
    circuit.ended('answered', 99, 5_200);
    circuit.ended('failed', 99, 5_200);
    expect([circuit.state, circuit.isPassable(5_200, false)]).toEqual(['half-open', false]);
  });

  it('lets another probe through when one was given back: nothing is under way, and it has not ended', () => {
    const circuit = closedAfter(times(20, 'failed'));
    circuit.begin(5_100);
    expect([circuit.isPassable(5_200, false), circuit.isPassable(5_200, true)]).toEqual([false, true]);
  });

  it('is forgotten ten minutes after the latest probe, though that was given back', () => {
    const circuit = closedAfter(times(20, 'failed'));
    circuit.begin(100_000);
    expect([circuit.isForgettable(700_000), circuit.isForgettable(700_001)]).toEqual([false, true]);
  });
});

it.each([
  { end: { status: 200, code: '200' }, health: 'answered' },
  { end: { status: 302, code: '302' }, health: 'answered' },
  { end: { status: 400, code: '400' }, health: 'answered' },
  { end: { status: 404, code: '404' }, health: 'answered' },
  { end: { status: 408, code: '408' }, health: 'answered' },
  { end: { status: 429, code: '429' }, health: 'failed' },
  { end: { status: 500, code: '500' }, health: 'answered' },
  { end: { status: 502, code: '502' }, health: 'failed' },
  { end: { status: 503, code: '503' }, health: 'failed' },
  { end: { status: null, code: 'timeout' }, health: 'failed' },
  { end: { status: null, code: 'connection_refused' }, health: 'failed' },
  { end: { status: null, code: 'address_refused' }, health: 'ours' },
  { end: { status: null, code: 'invalid_request' }, health: 'ours' },
  { end: undefined, health: 'ours' },
])('$end.code says $health', ({ end, health }) => {
  expect(healthOf(end)).toBe(health);
});
