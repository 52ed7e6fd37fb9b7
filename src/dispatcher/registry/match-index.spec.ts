import { Condition } from '../../core/conditions/condition';
import { type FilterRow, endpointRow, filterRow } from '../../../test/support/registry-rows';
import { matchable } from '../../../test/support/matchable-event';
import { testBox } from '../../../test/support/secret-box';
import { RegistrySnapshot } from './snapshot';

const endpoint = endpointRow();

/** Filters of which at most 100 share account, application and event type. */
const filtersOf = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    filterRow({ applications: ['app'], eventTypes: [`type-${index % (count / 100)}`], endpoints: [endpoint] }),
  );

const event = matchable({ application: 'app', eventType: 'type-0' });

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
    const told = matchable({ application: 'hookline', eventType: 'delivery.dead', level: 'error' });
    expect(registry.match(told).endpoints).toHaveLength(gets);
  });

  it('asks of many filters with conditions only those whose value the event has', () => {
    const filters = Array.from({ length: 10_000 }, (_, index) =>
      filterRow({ applications: ['app'], where: { 'message.host.id': `h${index}`, 'message.n': { $gt: 5 } }, endpoints: [endpoint] }),
    );
    const registry = new RegistrySnapshot({ endpoints: [endpoint], filters, identities: [] }, testBox);
    const asked = jest.spyOn(Condition.prototype, 'holds');
    expect(registry.match(matchable({ application: 'app', message: { host: { id: 'h77' }, n: 6 } })).endpoints).toHaveLength(1);
    expect(registry.match(matchable({ application: 'app', message: { host: { id: 'h77' }, n: 5 } })).endpoints).toEqual([]);
    expect(registry.match(matchable({ application: 'app', message: { host: {} } })).endpoints).toEqual([]);
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockRestore();
  });

  it('reads a message once, and only where a filter asks for it', () => {
    const filters = Array.from({ length: 20 }, (_, index) =>
      filterRow({ applications: ['asking'], where: { 'message.n': { $gt: index } }, endpoints: [endpoint] }),
    );
    const named = filterRow({ applications: ['asking', 'quiet'], where: { eventType: { $startsWith: 'm' } }, endpoints: [endpoint] });
    const registry = new RegistrySnapshot({ endpoints: [endpoint], filters: [...filters, named], identities: [] }, testBox);
    const parse = jest.spyOn(JSON, 'parse');
    const counts = ['quiet', 'other', 'asking'].map((application) => {
      const told = matchable({ application, message: { n: 7 } });
      const before = parse.mock.calls.length;
      registry.match(told);
      registry.match(told);
      return parse.mock.calls.length - before;
    });
    parse.mockRestore();
    expect(counts).toEqual([0, 0, 1]);
  });

  it('forgets the conditions of filters that have gone or have others now', () => {
    const filter = filterRow({ where: { 'message.os': { $in: ['rhel', 'fedora'] } }, endpoints: [endpoint] });
    const registry = new RegistrySnapshot({ endpoints: [endpoint], filters: [filter], identities: [] }, testBox);
    const gets = (os: string): number => registry.match(matchable({ message: { os } })).endpoints.length;
    expect([gets('rhel'), gets('fedora'), gets('debian')]).toEqual([1, 1, 0]);
    registry.apply({ endpoints: [], filters: [{ ...filter, where: '{"message.os":{"$startsWith":"deb"}}' }], identities: [] });
    expect([gets('rhel'), gets('fedora'), gets('debian')]).toEqual([0, 0, 1]);
    registry.apply({ endpoints: [], filters: [{ ...filter, where: null }], identities: [] });
    expect([gets('rhel'), gets('debian')]).toEqual([1, 1]);
    registry.apply({ endpoints: [], filters: [], identities: [] }, { endpoints: [], filters: [filter.id], identities: [] });
    expect(registry.mayMatch(matchable())).toBe(false);
  });

  it.each(['{"message.os":{"$soundsLike":"rhel"}}', '[]', 'null', '{}', 'no JSON'])(
    'sends nothing by conditions it cannot read: %s',
    (where) => {
      const registry = new RegistrySnapshot(
        { endpoints: [endpoint], filters: [{ ...filterRow({ endpoints: [endpoint] }), where }], identities: [] },
        testBox,
      );
      expect(registry.match(matchable({ message: { os: 'rhel' } })).endpoints).toEqual([]);
    },
  );

  it.each([
    ['no JSON', Buffer.from('<xml/>')],
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
    ['empty', Buffer.alloc(0)],
    ['nested too deeply', Buffer.from('['.repeat(100_000) + ']'.repeat(100_000))],
  ])('finds nothing in a message that is %s, and goes on', (_what, data) => {
    const filters = [{ 'message.os': { $exists: true } }, { 'message[*]': { $exists: true } }, { 'message.os': { $ne: 'rhel' } }];
    const rows = filters.map((where, index) => filterRow({ where, endpoints: [endpointRow({ id: String(index) })] }));
    const endpoints = filters.map((_, index) => endpointRow({ id: String(index) }));
    const registry = new RegistrySnapshot({ endpoints, filters: rows, identities: [] }, testBox);
    expect(registry.match(matchable({ data })).endpoints.map(({ id }) => id)).toEqual(['2']);
  });

  it('tells of a disabled endpoint only where the conditions hold', () => {
    const away = endpointRow({ enabled: 0 });
    const filter = filterRow({ where: { 'message.os': 'rhel' }, endpoints: [away] });
    const registry = new RegistrySnapshot({ endpoints: [away], filters: [filter], identities: [] }, testBox);
    const told = ['rhel', 'fedora'].map((os) => registry.match(matchable({ message: { os } })).disabledOnly);
    expect(told).toEqual([true, false]);
  });
});
