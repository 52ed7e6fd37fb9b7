import { type EndpointRow, type FilterRow, endpointRow, filterRow } from '../../../test/support/registry-rows';
import { matchable } from '../../../test/support/matchable-event';
import { testBox } from '../../../test/support/secret-box';
import { type Match, RegistrySnapshot } from './snapshot';

const a = endpointRow({ id: 'a' });
const b = endpointRow({ id: 'b' });
const disabled = endpointRow({ id: 'disabled', enabled: 0 });
const foreign = endpointRow({ id: 'foreign', account_id: 'acme' });
const ENDPOINTS: EndpointRow[] = [a, b, disabled, foreign];

const message = matchable();
const snapshot = (...filters: FilterRow[]): RegistrySnapshot =>
  new RegistrySnapshot({ endpoints: ENDPOINTS, filters, identities: [] }, testBox);
const ids = (match: Match): string[] => match.endpoints.map((endpoint) => endpoint.id);

describe('matching', () => {
  it.each([
    { rule: 'empty lists want everything', filter: {}, event: {}, matches: true },
    { rule: 'the application is in the list', filter: { applications: ['whatsapp', 'facebook'] }, event: {}, matches: true },
    { rule: 'another application', filter: { applications: ['whatsapp'] }, event: {}, matches: false },
    { rule: 'names are compared whole', filter: { applications: ['face'] }, event: {}, matches: false },
    { rule: 'names are compared by case', filter: { applications: ['Facebook'] }, event: {}, matches: false },
    { rule: 'the event type is in the list', filter: { eventTypes: ['echo', 'message'] }, event: {}, matches: true },
    { rule: 'another event type', filter: { eventTypes: ['echo'] }, event: {}, matches: false },
    { rule: 'both lists hold', filter: { applications: ['facebook'], eventTypes: ['message'] }, event: {}, matches: true },
    { rule: 'one list of two holds', filter: { applications: ['facebook'], eventTypes: ['echo'] }, event: {}, matches: false },
    { rule: 'the level is in the list', filter: { levels: ['info', 'error'] }, event: { level: 'error' }, matches: true },
    { rule: 'another level', filter: { levels: ['info'] }, event: { level: 'error' }, matches: false },
    { rule: 'a filter with levels, an event without', filter: { levels: ['info'] }, event: {}, matches: false },
    { rule: 'a filter without levels, an event with one', filter: {}, event: { level: 'error' }, matches: true },
    { rule: 'a disabled filter', filter: { enabled: false }, event: {}, matches: false },
    { rule: 'another account', filter: {}, event: { accountId: 'acme' }, matches: false },
    { rule: 'names that objects inherit', filter: { applications: ['x'] }, event: { application: '__proto__' }, matches: false },
    { rule: 'a filter for such a name', filter: { eventTypes: ['constructor'] }, event: { eventType: 'constructor' }, matches: true },
  ])('$rule: $matches', ({ filter, event, matches }) => {
    const match = snapshot(filterRow({ ...filter, endpoints: [a] })).match({ ...message, ...event });
    expect(ids(match)).toEqual(matches ? ['a'] : []);
    expect(match.disabledOnly).toBe(false);
  });

  it.each([
    { to: ['b'], filters: [], ids: ['b'], disabledOnly: false },
    { to: ['b', 'a'], filters: [filterRow({ endpoints: [a] })], ids: ['a', 'b'], disabledOnly: false },
    // Whichever account it is of.
    { to: ['foreign'], filters: [], ids: ['foreign'], disabledOnly: false },
    { to: ['disabled'], filters: [], ids: [], disabledOnly: true },
    { to: ['disabled'], filters: [filterRow({ endpoints: [a] })], ids: ['a'], disabledOnly: false },
  ])('sends what is for $to there, beside what the filters say', ({ to, filters, ids: expected, disabledOnly }) => {
    const match = snapshot(...filters).match({ ...message, to });
    expect({ ids: ids(match).sort(), disabledOnly: match.disabledOnly }).toEqual({ ids: expected, disabledOnly });
  });

  it('waits for an endpoint that is named and not known yet', () => {
    expect(() => snapshot().match({ ...message, to: ['made-elsewhere'] })).toThrow(
      expect.objectContaining({ code: 'storage_unavailable' }) as Error,
    );
  });

  it('gives an endpoint once, however many filters lead to it', () => {
    const match = snapshot(
      filterRow({ endpoints: [a, b] }),
      filterRow({ applications: ['facebook'], endpoints: [b, a] }),
      filterRow({ applications: ['facebook', 'facebook'], eventTypes: ['message', 'message'], endpoints: [a, a] }),
    ).match(message);
    expect(ids(match).sort()).toEqual(['a', 'b']);
  });

  it.each([
    { to: 'a disabled endpoint', named: [disabled], endpoints: [], disabledOnly: true },
    { to: 'a disabled and an enabled one', named: [disabled, a], endpoints: ['a'], disabledOnly: false },
    { to: 'a deleted one', named: [endpointRow({ id: 'deleted' })], endpoints: [], disabledOnly: false },
    { to: 'none', named: [], endpoints: [], disabledOnly: false },
    { to: 'another account’s', named: [foreign], endpoints: [], disabledOnly: false },
  ])('a filter to $to delivers to $endpoints, disabledOnly $disabledOnly', ({ named, endpoints, disabledOnly }) => {
    const match = snapshot(filterRow({ endpoints: named })).match(message);
    expect(ids(match)).toEqual(endpoints);
    expect(match.disabledOnly).toBe(disabledOnly);
  });

  it('counts a disabled endpoint only where a filter to it matched', () => {
    const match = snapshot(filterRow({ endpoints: [disabled], eventTypes: ['echo'] }), filterRow({ endpoints: [a] })).match(message);
    expect(ids(match)).toEqual(['a']);
    expect(snapshot(filterRow({ endpoints: [disabled], eventTypes: ['echo'] })).match(message).disabledOnly).toBe(false);
  });
});

describe('a filter with long lists', () => {
  const long = (name: string): string[] => [name, ...Array.from({ length: 199 }, (_, index) => `${name}-${index}`)];
  const filter = filterRow({ applications: long('facebook'), eventTypes: long('message'), levels: long('error'), endpoints: [a] });

  it.each([
    { event: { level: 'error' }, matches: true },
    { event: { application: 'facebook-198', eventType: 'message-198', level: 'error-198' }, matches: true },
    { event: { application: 'facebook-199', level: 'error' }, matches: false },
    { event: { eventType: 'message-199', level: 'error' }, matches: false },
    { event: { level: 'error-199' }, matches: false },
    { event: {}, matches: false },
  ])('asks for all of them: $event matches $matches', ({ event, matches }) => {
    expect(ids(snapshot(filter).match({ ...message, ...event }))).toEqual(matches ? ['a'] : []);
  });

  it('does not take a place for each of their combinations', () => {
    const places = jest.spyOn(Map.prototype, 'set');
    try {
      snapshot(filter);
      expect(places.mock.calls.length).toBeLessThan(1_000);
    } finally {
      places.mockRestore();
    }
  });
});

describe('the cost of a match', () => {
  /** Look-ups in maps while `work` runs. */
  function lookUps(work: () => void): number {
    const counted = jest.spyOn(Map.prototype, 'get');
    try {
      work();
      return counted.mock.calls.length;
    } finally {
      counted.mockRestore();
    }
  }

  const others = (count: number): FilterRow[] =>
    Array.from({ length: count }, (_, index) => [
      filterRow({ endpoints: [a], applications: [`application-${index}`] }),
      filterRow({ endpoints: [a], applications: ['facebook'], eventTypes: [`type-${index}`] }),
      filterRow({ endpoints: [a], eventTypes: ['message'], levels: [`level-${index}`] }),
      filterRow({ endpoints: [foreign], accountId: 'acme' }),
    ]).flat();
  const wanted = [filterRow({ endpoints: [b], applications: ['facebook'], eventTypes: ['message'] }), filterRow({ endpoints: [b] })];
  const event = { ...message, level: 'error' };

  it('is the same with 4 filters that do not match and with 4,000', () => {
    const [few, many] = [snapshot(...wanted, ...others(1)), snapshot(...wanted, ...others(1_000))];
    expect(ids(many.match(event))).toEqual(['b']);
    expect(lookUps(() => many.match(event))).toBe(lookUps(() => few.match(event)));
  });

  it('is a handful of look-ups at most', () => {
    const every = [[], ['facebook']].flatMap((applications) =>
      [[], ['message']].flatMap((eventTypes) =>
        [[], ['error']].map((levels) => filterRow({ endpoints: [a], applications, eventTypes, levels })),
      ),
    );
    const full = snapshot(...every, ...others(100));
    expect(ids(full.match(event))).toEqual(['a']);
    expect(lookUps(() => full.match(event))).toBeLessThanOrEqual(1 + 2 + 4 + 8);
    expect(lookUps(() => full.match({ ...event, accountId: 'nobody' }))).toBe(1);
  });
});

describe('identities and endpoints', () => {
  const registry = new RegistrySnapshot(
    {
      endpoints: [
        endpointRow({
          id: 'full',
          headers: '{"x-a":"1"}',
          retry_schedule: '[5,300]',
          properties: '{"body":"raw"}',
          auth: '{"type":"basic"}',
        }),
      ],
      filters: [],
      identities: [
        { channel: 'facebook', external_id: '1', account_id: 'acme', created_at: 1 },
        { channel: 'twilio', external_id: '1', account_id: 'other', created_at: 1 },
      ],
    },
    testBox,
  );

  it.each([
    { channel: 'facebook', externalId: '1', account: 'acme' },
    { channel: 'twilio', externalId: '1', account: 'other' },
    { channel: 'facebook', externalId: '2', account: undefined },
    { channel: 'webex', externalId: '1', account: undefined },
  ])('$channel $externalId belongs to $account', ({ channel, externalId, account }) => {
    expect(registry.accountOfIdentity(channel, externalId)).toBe(account);
  });

  it('parses an endpoint', () => {
    expect(registry.endpoint('full')).toMatchObject({
      accountId: 'default',
      enabled: true,
      headers: { 'x-a': '1' },
      retrySchedule: [5, 300],
      properties: { body: 'raw' },
      auth: { type: 'basic' },
    });
    expect(registry.endpoint('none')).toBeUndefined();
  });
});
