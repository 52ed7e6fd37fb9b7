import { type AttemptEnd, type RetryContext, retryAfterMs, verdictOf } from './retry-policy';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const SCHEDULE = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

const end = (status: number | null, extra: Partial<AttemptEnd> = {}): AttemptEnd => ({
  status,
  code: status === null ? 'timeout' : String(status),
  retryAfter: null,
  ...extra,
});
const context = (extra: Partial<RetryContext> = {}): RetryContext => ({
  schedule: SCHEDULE,
  attemptCount: 1,
  nowMs: NOW,
  random: 0.5,
  ...extra,
});

describe('verdictOf', () => {
  it.each([200, 201, 202, 204, 299])('takes %i for a success', (status) => {
    expect(verdictOf(end(status), context())).toEqual({ kind: 'delivered' });
  });

  it.each([300, 301, 302, 304, 307, 308, 400, 401, 404, 408, 409, 418, 422, 500, 501, 599])('retries after %i', (status) => {
    expect(verdictOf(end(status), context())).toEqual({ kind: 'waiting', delayMs: 5_000 });
  });

  it('retries after an attempt without an answer', () => {
    expect(verdictOf(end(null), context())).toEqual({ kind: 'waiting', delayMs: 5_000 });
  });

  it.each([1, 7, 8])('takes 410 for final at attempt %i', (attemptCount) => {
    expect(verdictOf(end(410), context({ attemptCount }))).toEqual({ kind: 'gone' });
  });

  it.each(SCHEDULE.map((seconds, index) => ({ attemptCount: index + 1, delayMs: seconds * 1_000 })))(
    'waits $delayMs ms after attempt $attemptCount',
    ({ attemptCount, delayMs }) => {
      expect(verdictOf(end(500), context({ attemptCount }))).toEqual({ kind: 'waiting', delayMs });
    },
  );

  it.each([
    { random: 0, delayMs: 4_000 },
    { random: 1, delayMs: 6_000 },
  ])('spreads the wait by a fifth: $random gives $delayMs ms', ({ random, delayMs }) => {
    expect(verdictOf(end(500), context({ random }))).toEqual({ kind: 'waiting', delayMs });
  });

  it.each([
    { code: '500', deadClass: 'receiver' },
    { code: 'timeout', deadClass: 'receiver' },
    { code: 'dns_error', deadClass: 'receiver' },
    { code: 'address_refused', deadClass: 'pipeline' },
    { code: 'invalid_request', deadClass: 'pipeline' },
    { code: 'secret_unreadable', deadClass: 'pipeline' },
  ])('gives up after the schedule: $code is $deadClass', ({ code, deadClass }) => {
    expect(verdictOf(end(null, { code }), context({ attemptCount: 8 }))).toEqual({ kind: 'dead', reason: code, deadClass });
  });

  it('makes a single attempt with an empty schedule', () => {
    expect(verdictOf(end(500), context({ schedule: [] }))).toMatchObject({ kind: 'dead', reason: '500' });
  });

  it.each([
    { title: 'within the bounds', retryAfter: '7', random: 0, delayMs: 7_000 },
    { title: 'never before the asked time', retryAfter: '7', random: 1, delayMs: 8_000 },
    { title: 'at least the own wait', retryAfter: '0', random: 0, delayMs: 5_000 },
    { title: 'at most twice the own wait', retryAfter: '86400', random: 1, delayMs: 10_000 },
    { title: 'an HTTP date', retryAfter: 'Sun, 22 Nov 2026 10:00:08 GMT', random: 0, delayMs: 8_000 },
    { title: 'a date gone by', retryAfter: 'Sun, 22 Nov 2020 10:00:08 GMT', random: 0, delayMs: 5_000 },
    { title: 'something else is as none', retryAfter: 'soon', random: 0, delayMs: 4_000 },
    { title: 'a negative number is as none', retryAfter: '-5', random: 0, delayMs: 4_000 },
  ])('honours Retry-After: $title', ({ retryAfter, random, delayMs }) => {
    for (const status of [429, 502, 503, 504]) {
      expect(verdictOf(end(status, { retryAfter }), context({ random }))).toEqual({ kind: 'waiting', delayMs });
    }
  });

  it('does not honour Retry-After of other answers', () => {
    expect(verdictOf(end(500, { retryAfter: '9' }), context())).toEqual({ kind: 'waiting', delayMs: 5_000 });
  });

  it('does not let Retry-After add an attempt', () => {
    expect(verdictOf(end(503, { retryAfter: '9' }), context({ attemptCount: 8 }))).toMatchObject({ kind: 'dead' });
  });
});

describe('retryAfterMs', () => {
  it.each([
    ['120', 120_000],
    [' 3 ', 3_000],
    ['Sunday, 22-Nov-26 10:00:10 GMT', 10_000],
    ['', undefined],
    ['1.5', undefined],
    ['99999999999', undefined],
    ['2026-11-22T10:00:10Z', undefined],
    [null, undefined],
  ])('reads %j as %j ms', (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});
