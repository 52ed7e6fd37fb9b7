import { type FilterRow, endpointRow, filterRow } from '../../../test/support/registry-rows';
import { testBox } from '../../../test/support/secret-box';
import type { MatchableEvent } from './match-index';
import { RegistrySnapshot } from './snapshot';

const endpoint = endpointRow();

/** Filters of which at most 100 share account, application and event type. */
const filtersOf = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    filterRow({ applications: ['app'], eventTypes: [`type-${index % (count / 100)}`], endpoints: [endpoint] }),
  );

const event: MatchableEvent = { accountId: 'default', application: 'app', eventType: 'type-0', level: null };

/** How often a map is asked while one event is matched. */
function lookUps(registry: RegistrySnapshot): number {
  const asked = jest.spyOn(Map.prototype, 'get');
  registry.match(event);
  const { length } = asked.mock.calls;
  asked.mockRestore();
  return length;
}

describe('the index of filters', () => {
  const registryOf = (count: number) => new RegistrySnapshot({ endpoints: [endpoint], filters: filtersOf(count), identities: [] }, testBox);

  it('is asked as often for 100,000 filters as for 100', () => {
    const [few, many] = [lookUps(registryOf(100)), lookUps(registryOf(100_000))];
    expect(few).toBeGreaterThan(0);
    expect(many).toBe(few);
  });

  it('takes a change of one filter among 100,000 without a look at the others', () => {
    const filters = filtersOf(100_000);
    const registry = new RegistrySnapshot({ endpoints: [endpoint], filters, identities: [] }, testBox);
    const [changed] = filters;
    const parse = jest.spyOn(JSON, 'parse');
    const set = jest.spyOn(Map.prototype, 'set');
    registry.apply({ endpoints: [endpoint], filters: [{ ...(changed as FilterRow), levels: '["error"]' }], identities: [] });
    const calls = [parse.mock.calls.length, set.mock.calls.length];
    parse.mockRestore();
    set.mockRestore();
    expect(Math.max(...calls)).toBeLessThan(10);
    expect(registry.match({ ...event, level: 'error' }).endpoints).toHaveLength(1);
  });

  it('forgets filters that have gone, with the names that only they had', () => {
    const filter = filterRow({ applications: ['app'], eventTypes: ['type-0'], endpoints: [endpoint] });
    const registry = new RegistrySnapshot({ endpoints: [endpoint], filters: [filter], identities: [] }, testBox);
    registry.apply({ endpoints: [], filters: [], identities: [] }, { endpoints: [], filters: [filter.id], identities: [] });
    expect(registry.match(event).endpoints).toEqual([]);
    expect(lookUps(registry)).toBe(1);
  });

  it.each([
    { names: 'nothing', filter: {}, gets: 0 },
    { names: 'only a level', filter: { levels: ['error'] }, gets: 0 },
    { names: 'another application', filter: { applications: ['app'] }, gets: 0 },
    { names: 'the application', filter: { applications: ['hookline'] }, gets: 1 },
    { names: 'the event type', filter: { eventTypes: ['delivery.dead'] }, gets: 1 },
  ])('gives events of the gateway itself to a filter that names $names: $gets', ({ filter, gets }) => {
    const filters = [filterRow({ ...filter, endpoints: [endpoint] })];
    const registry = new RegistrySnapshot({ endpoints: [endpoint], filters, identities: [] }, testBox);
    const told: MatchableEvent = { accountId: 'default', application: 'hookline', eventType: 'delivery.dead', level: 'error' };
    expect(registry.match(told).endpoints).toHaveLength(gets);
  });
});
