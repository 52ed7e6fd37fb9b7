import { WrongCodes, callerOf, lockedUntil } from './wrong-codes';

const MINUTE = 60_000;

describe('lockedUntil', () => {
  it.each([
    { times: [], until: undefined, why: 'none' },
    { times: [4, 3, 2, 1], until: undefined, why: 'four' },
    { times: [5, 4, 3, 2, 1], until: 5 + 15 * MINUTE, why: 'five at once' },
    { times: [15 * MINUTE, 4, 3, 2, 0], until: 30 * MINUTE, why: 'five within the window' },
    { times: [15 * MINUTE + 1, 4, 3, 2, 0], until: undefined, why: 'four, and one too late' },
    // Two processes were at it at once.
    { times: [7, 6, 5, 4, 3, 2, 1], until: 7 + 15 * MINUTE, why: 'seven' },
  ])('$why: $until', ({ times, until }) => {
    expect(lockedUntil(times)).toBe(until);
  });
});

describe('callerOf', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::', 'fe80:0:0:0'],
  ])('%s is %s', (address, caller) => {
    expect(callerOf(address)).toBe(caller);
  });
});

describe('WrongCodes', () => {
  it('knows the last five of a caller, the newest first', () => {
    const wrongCodes = new WrongCodes();
    for (let at = 1; at <= 7; at++) wrongCodes.add('a', at);
    wrongCodes.add('b', 8);
    expect(wrongCodes.of('a')).toEqual([7, 6, 5, 4, 3]);
    expect(wrongCodes.of('b')).toEqual([8]);
    expect(wrongCodes.of('c')).toEqual([]);
  });

  it('forgets who was longest quiet when there are more than ten thousand', () => {
    const wrongCodes = new WrongCodes();
    for (let caller = 0; caller < 10_000; caller++) wrongCodes.add(`caller ${caller}`, caller);
    wrongCodes.add('caller 0', 10_000);
    wrongCodes.add('one more', 10_001);
    expect(wrongCodes.of('caller 0')).toEqual([10_000, 0]);
    expect(wrongCodes.of('caller 1')).toEqual([]);
    expect(wrongCodes.of('caller 2')).toEqual([2]);
  });
});
