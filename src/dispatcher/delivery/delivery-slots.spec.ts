import { Metrics } from '../../metrics/metrics.service';
import type { EndpointRecord } from '../registry/endpoint-record';
import type { DeliveryConfig } from './delivery.config';
import { DeliverySlots } from './delivery-slots';
import type { AttemptResult } from './http/attempt';
import { Circuits } from './limits/circuits';
import { ExplicitLimits } from './limits/explicit-limits';

const config = { concurrency: 100, maxInFlightBytes: 1_000, maxInFlightPerEndpoint: 10, circuitMinAttempts: 2 } as DeliveryConfig;
const endpoint = { id: 'e', accountId: 'a', maxInFlight: null, ratePerSecond: null, updatedAt: 0 } as EndpointRecord;
const unavailable = { status: 503, code: '503' } as AttemptResult;

let now: number;

beforeEach(() => {
  now = 1_000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => jest.restoreAllMocks());

/** With as many taken before the circuit opened. */
function openWith(takenBefore: number): DeliverySlots {
  const circuits = new Circuits(config, new Metrics());
  const slots = new DeliverySlots(config, circuits, new ExplicitLimits(undefined as never, undefined as never));
  for (let i = 0; i < takenBefore + 2; i++) expect(slots.take(endpoint)).toBe(true);
  for (let i = 0; i < 2; i++) slots.attemptEnded(endpoint, now, unavailable);
  expect(circuits.circuitOf('e')).toBe('open');
  now += 5_000;
  return slots;
}

it('lets no second probe through when what was taken before the circuit opened is given back', () => {
  const slots = openWith(2);
  expect(slots.take(endpoint)).toBe(true);
  slots.giveBack('e');
  expect(slots.take(endpoint)).toBe(false);
  slots.attemptMissed('e');
  expect(slots.take(endpoint)).toBe(false);
});

it('lets another probe through once the first one was given back', () => {
  const slots = openWith(0);
  expect(slots.take(endpoint)).toBe(true);
  expect(slots.take(endpoint)).toBe(false);
  slots.giveBack('e');
  expect(slots.take(endpoint)).toBe(true);
});
