import * as fc from 'fast-check';
import { matchable } from '../../../test/support/matchable-event';
import { anyEvent, anyFilter } from '../../../test/support/random-filters';
import { type PlainEvent, type PlainFilter, referenceMatches } from '../../../test/support/reference-matcher';
import { endpointRow, filterRow } from '../../../test/support/registry-rows';
import { testBox } from '../../../test/support/secret-box';
import { RegistrySnapshot } from './snapshot';

const FILTERS = 500;
const EVENTS = 10_000;
const SEED = 6;

/** Each filter has an endpoint of its own, of its number. */
function registryOf(filters: readonly PlainFilter[]): RegistrySnapshot {
  const endpoints = filters.map((_, index) => endpointRow({ id: String(index) }));
  const rows = filters.map(({ where, ...lists }, index) =>
    filterRow({ ...lists, ...(where && { where }), endpoints: [endpoints[index]!] }),
  );
  return new RegistrySnapshot({ endpoints, filters: rows, identities: [] }, testBox);
}

const asBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const eventOf = ({ message, context, ...names }: PlainEvent) =>
  matchable({ ...names, data: asBytes(message), context: context === null ? null : asBytes(context) });

describe.each([
  { kind: 'without conditions', withWhere: false },
  { kind: 'with conditions', withWhere: true },
])('the matcher, $kind', ({ withWhere }) => {
  const filters = fc.sample(anyFilter(withWhere), { numRuns: FILTERS, seed: SEED });
  const registry = registryOf(filters);

  it(`finds for ${String(EVENTS)} random events what a plain reading of ${String(FILTERS)} random filters finds`, () => {
    let matches = 0;
    fc.assert(
      fc.property(anyEvent, (event) => {
        const found = registry.match(eventOf(event)).endpoints.map(({ id }) => Number(id));
        const wanted: number[] = [];
        for (const [index, filter] of filters.entries()) if (referenceMatches(filter, event)) wanted.push(index);
        matches += wanted.length;
        found.sort((one, other) => one - other);
        // Jest's own comparison takes longer than all the rest.
        if (found.join() !== wanted.join()) expect(found).toEqual(wanted);
      }),
      { numRuns: EVENTS, seed: SEED },
    );
    // Neither nothing nor everything matches.
    expect(matches / EVENTS / FILTERS).toBeGreaterThan(0.02);
    expect(matches / EVENTS / FILTERS).toBeLessThan(0.5);
  }, 180_000);
});
