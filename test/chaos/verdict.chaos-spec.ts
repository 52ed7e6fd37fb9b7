import { ENDPOINTS, type EndpointName, newItemId } from './items';
import { type Arrival, type Arrived, compareLedger, judge, type LedgerCounts, type Sent } from './verdict';

// What judges everything else in this folder must itself be able to say no.
const [THREE = '', ONE = '', NONE = ''] = [0, 1, 3].map((number) => newItemId('facebook', 'run', number));
const once: Arrival = { count: 1, ids: ['w1'] };

const sent = (...items: [id: string, sent: Partial<Sent>][]): Map<string, Sent> =>
  new Map(items.map(([id, changes]) => [id, { accepted: 0, unknown: 0, ...changes }]));

function arrived(items: Partial<Record<EndpointName, [id: string, arrival: Arrival][]>>, spoiled: string[] = []) {
  const entries = ENDPOINTS.map((name): [EndpointName, Arrived] => [
    name,
    { items: new Map(items[name] ?? []), spoiled: name === 'a' ? spoiled : [] },
  ]);
  return Object.fromEntries(entries) as Record<EndpointName, Arrived>;
}

const GOOD = { lost: [], unexpected: [], doubled: [], spoiled: [] };

describe('the verdict', () => {
  it('is good when everything accepted came where it belongs', () => {
    const books = sent([THREE, { accepted: 1 }], [ONE, { accepted: 2, unknown: 1 }], [NONE, { accepted: 1 }]);
    const all: [string, Arrival] = [THREE, once];
    expect(judge(books, arrived({ a: [all, [ONE, once]], b: [all], c: [all] }))).toEqual({
      ...GOOD,
      accepted: 3,
      arrived: 4,
      duplicates: 0,
      recovered: 0,
    });
  });

  it.each([
    ['lost at one of three endpoints', sent([THREE, { accepted: 1 }]), arrived({ a: [[THREE, once]], b: [[THREE, once]] }), 'lost'],
    ['lost at its only endpoint', sent([ONE, { accepted: 1 }]), arrived({}), 'lost'],
    ['arrived where it does not belong', sent([ONE, { accepted: 1 }]), arrived({ a: [[ONE, once]], b: [[ONE, once]] }), 'unexpected'],
    ['arrived though nothing matches it', sent([NONE, { accepted: 1 }]), arrived({ a: [[NONE, once]] }), 'unexpected'],
    ['arrived though it was never sent', sent(), arrived({ a: [[ONE, once]] }), 'unexpected'],
    ['arrived though it was refused', sent([ONE, {}]), arrived({ a: [[ONE, once]] }), 'unexpected'],
    ['came under two webhook-ids', sent([ONE, { accepted: 1 }]), arrived({ a: [[ONE, { count: 2, ids: ['w1', 'w2'] }]] }), 'doubled'],
    ['was not what was sent', sent(), arrived({}, ['x']), 'spoiled'],
  ] as const)('%s is seen', (_what, books, arrivals, kind) => {
    const { lost, unexpected, doubled, spoiled } = judge(books, arrivals);
    expect({ lost, unexpected, doubled, spoiled }).toEqual({ ...GOOD, [kind]: [expect.any(String)] });
  });

  it('counts what came again, and what came without a 2xx', () => {
    const books = sent([ONE, { unknown: 1 }]);
    expect(judge(books, arrived({ a: [[ONE, { count: 3, ids: ['w1'] }]] }))).toMatchObject({ ...GOOD, duplicates: 2, recovered: 1 });
  });
});

describe('the comparison of the books', () => {
  const books = sent([THREE, { accepted: 2 }], [ONE, { accepted: 1, unknown: 1 }], [NONE, { accepted: 1 }]);
  const right: LedgerCounts = { accepted: 4, delivered: 2, filtered: 1, duplicate: 1, dead: 0, cancelled: 0, pending: 0 };

  it.each([
    ['as the sender counted', {}],
    ['the request without an answer was kept', { accepted: 5, duplicate: 2 }],
  ])('%s: fits', (_what, changes) => {
    expect(compareLedger(books, new Map([['facebook', { ...right, ...changes }]]))).toEqual([]);
  });

  it.each<[string, Partial<LedgerCounts>]>([
    ['one delivered too few', { accepted: 3, delivered: 1 }],
    ['one filtered too many', { accepted: 5, filtered: 2 }],
    ['a duplicate forgotten', { accepted: 3, duplicate: 0 }],
    ['more duplicates than requests', { accepted: 6, duplicate: 3 }],
    ['one dead', { accepted: 5, dead: 1 }],
    ['one pending', { accepted: 5, pending: 1 }],
    ['the sum does not hold', { accepted: 5 }],
  ])('%s: does not fit', (_what, changes) => {
    expect(compareLedger(books, new Map([['facebook', { ...right, ...changes }]]))).not.toEqual([]);
  });

  it('misses a door that is not there', () => {
    expect(compareLedger(books, new Map())).toEqual(['facebook is not in the ledger']);
  });
});
