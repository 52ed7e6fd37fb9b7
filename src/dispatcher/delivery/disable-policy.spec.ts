import { DEFAULT_DISABLE_POLICY, type DisablePolicy, type FailureRecord, isGivenUp, readDisablePolicy } from './disable-policy';

const DAY = 86_400_000;
const NOW = 1_000 * DAY;

describe('isGivenUp', () => {
  const fiveDays: DisablePolicy = { kind: 'failing_for', days: 5 };
  const thirdFailure: DisablePolicy = { kind: 'failures', count: 3 };
  const record = (failingSince: number | null, failureCount = 0): FailureRecord => ({ failingSince, failureCount });

  it.each([
    { policy: fiveDays, of: record(null), expected: false },
    { policy: fiveDays, of: record(NOW - 5 * DAY + 1, 1_000), expected: false },
    { policy: fiveDays, of: record(NOW - 5 * DAY), expected: true },
    { policy: { kind: 'failing_for', days: 1 } as const, of: record(NOW - DAY), expected: true },
    { policy: thirdFailure, of: record(NOW - 100 * DAY, 2), expected: false },
    { policy: thirdFailure, of: record(NOW, 3), expected: true },
    // Not consecutive: the last attempt succeeded.
    { policy: thirdFailure, of: record(null, 3), expected: true },
    { policy: { kind: 'never' } as const, of: record(1, 1_000_000), expected: false },
  ])('$policy with $of: $expected', ({ policy, of, expected }) => {
    expect(isGivenUp(policy, of, NOW)).toBe(expected);
  });

  it('is after five days for an endpoint that says nothing', () => {
    expect(DEFAULT_DISABLE_POLICY).toEqual(fiveDays);
  });
});

describe('readDisablePolicy', () => {
  it.each<[string | null, DisablePolicy | null]>([
    [null, null],
    ['{"kind":"failures","count":3}', { kind: 'failures', count: 3 }],
  ])('%s', (json, expected) => {
    expect(readDisablePolicy(json)).toEqual(expected);
  });
});
