import * as fc from 'fast-check';
import { matchable } from '../../../test/support/matchable-event';
import { anyEvent, anyFilter } from '../../../test/support/random-filters';
import { endpointRow, filterRow } from '../../../test/support/registry-rows';
import { testBox } from '../../../test/support/secret-box';
import type { FilterRecord } from '../registry/filters.repository';
import { newFilter } from '../registry/filters.service';
import { RegistrySnapshot } from '../registry/snapshot';
import { explainFilter } from './explain-filter';

const endpoint = endpointRow();
const filter = (changes: Partial<FilterRecord> = {}): FilterRecord => ({ ...newFilter('default', 1), ...changes });

describe('an explanation', () => {
  it('says of every filter and event what the matcher does', () => {
    fc.assert(
      fc.property(anyFilter(true), fc.array(anyEvent, { minLength: 20, maxLength: 20 }), (wishes, events) => {
        const { where, ...lists } = wishes;
        const row = filterRow({ ...lists, ...(where && { where }), endpoints: [endpoint] });
        const registry = new RegistrySnapshot({ endpoints: [endpoint], filters: [row], identities: [] }, testBox);
        for (const { message, context, ...names } of events) {
          const bytes = Buffer.from(JSON.stringify(message));
          const event = matchable({ ...names, data: bytes, context: context === null ? null : Buffer.from(JSON.stringify(context)) });
          const { matched, clauses } = explainFilter(filter(wishes as Partial<FilterRecord>), event);
          expect(matched).toBe(registry.match(event).endpoints.length === 1);
          if (clauses.every(({ passed }) => passed)) expect(matched).toBe(true);
        }
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  it.each([
    { rule: 'names nothing', wishes: {}, matched: false },
    { rule: 'names the application', wishes: { applications: ['hookline'] }, matched: true },
    { rule: 'names the event type', wishes: { eventTypes: ['delivery.dead'] }, matched: true },
  ])('of an event of the gateway itself, to a filter that $rule, is $matched', ({ wishes, matched }) => {
    const event = matchable({ application: 'hookline', eventType: 'delivery.dead' });
    expect(explainFilter(filter(wishes), event).matched).toBe(matched);
  });

  it('tells that a filter is disabled, or cannot be read', () => {
    expect(explainFilter(filter({ enabled: false }), matchable())).toMatchObject({
      matched: false,
      clauses: [{ at: 'enabled', passed: false }],
    });
    const unread = explainFilter(filter({ where: { 'message.os': { $soundsLike: 'x' } } }), matchable());
    expect(unread).toMatchObject({ matched: false, clauses: [{ passed: true }, { at: 'where', passed: false }] });
  });
});
