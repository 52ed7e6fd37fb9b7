import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import type { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { gatewayOn } from './gateway-on';
import { deliveriesOf, eventsOf, publish } from './publish';
import { IS_FULL, SCALE } from './scale';

/** Seconds. The attempt after the last one of these succeeds. */
const SCHEDULE = IS_FULL ? [1, 2, 5, 10, 1, 1] : [0.5, 1, 2];
const JITTER = 0.2;
/** An open circuit would hold back what the schedule says is due. */
const NO_CIRCUIT = { DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0' };
/** On a busy machine an attempt may come late, never early. */
const LATE_MS = 3_000;

describe.each(ENGINE_SETS)('Retries on %s', (set) => {
  let gateway: Gateway;
  let close: () => Promise<void>;
  let receiver: Receiver;

  beforeAll(async () => {
    ({ gateway, close } = await gatewayOn(set, NO_CIRCUIT));
  });
  afterAll(() => close?.());
  beforeEach(async () => (receiver = await Receiver.start()));
  afterEach(() => receiver.stop());

  it('come by the schedule, none early, under one webhook-id and each with its own timestamp', async () => {
    const { secret } = await gateway.subscribe(receiver.url, { retrySchedule: SCHEDULE }, { eventTypes: ['scheduled'] });
    receiver.secrets = [secret];
    receiver.answer = (_request, count) => ({ status: count > SCHEDULE.length ? 204 : 500 });
    await publish(gateway, eventsOf('scheduled', 20));
    await gateway.settled(90_000);
    const byId = groupById(receiver);
    expect(byId.size).toBe(20);
    for (const times of byId.values()) {
      expect(times).toHaveLength(SCHEDULE.length + 1);
      SCHEDULE.forEach((seconds, index) => {
        const waitedMs = (times[index + 1] ?? 0) - (times[index] ?? 0);
        expect(waitedMs).toBeGreaterThanOrEqual(seconds * 1_000 * (1 - JITTER));
        expect(waitedMs).toBeLessThan(seconds * 1_000 * (1 + JITTER) + LATE_MS);
      });
    }
    expect(receiver.received.every(({ verified }) => verified)).toBe(true);
  }, 120_000);

  it(`are held up by nothing: ${SCALE.behindParked} that are due soon pass one that is due in an hour`, async () => {
    const parked = await gateway.subscribe(receiver.url, { retrySchedule: [3_600] }, { eventTypes: ['parked'] });
    const soon = await gateway.subscribe(`${receiver.url}/soon`, { retrySchedule: [1] }, { eventTypes: ['soon'] });
    receiver.answer = ({ path }, count) => ({ status: path.endsWith('/soon') && count > 1 ? 204 : 500 });
    await publish(gateway, eventsOf('parked', 1));
    await eventually('one is parked', async () => (await deliveriesOf(gateway, parked.id, 'waiting')).length === 1);
    await publish(gateway, eventsOf('soon', SCALE.behindParked));
    await eventually('the others are delivered', async () => {
      return (await deliveriesOf(gateway, soon.id, 'delivered')).length === SCALE.behindParked;
    });
    const [waiting] = await deliveriesOf(gateway, parked.id);
    expect(waiting).toMatchObject({ status: 'waiting', attemptCount: 1 });
    await gateway.must(200, 'POST', `/api/v1/deliveries/${waiting?.id}/cancel`);
  }, 60_000);

  it(`are exhausted: ${SCALE.exhausted} are dead, none is gone, and a redrive delivers each once`, async () => {
    const { id, secret } = await gateway.subscribe(receiver.url, { retrySchedule: [0.2] }, { eventTypes: ['exhausted'] });
    receiver.secrets = [secret];
    receiver.answer = () => ({ status: 500 });
    await publish(gateway, eventsOf('exhausted', SCALE.exhausted));
    await gateway.settled();
    const dead = await deliveriesOf(gateway, id, 'dead');
    expect(dead).toHaveLength(SCALE.exhausted);
    expect(new Set(dead.map(({ reason, deadClass, attemptCount }) => `${reason} ${deadClass} ${attemptCount}`))).toEqual(
      new Set(['500 receiver 2']),
    );
    const before = new Set(receiver.received.map((request) => request.id));
    expect(before.size).toBe(SCALE.exhausted);

    receiver.clear();
    receiver.answer = () => ({ status: 204 });
    const wanted = { filter: { endpointId: id } };
    const preview = await gateway.must(200, 'POST', '/api/v1/deliveries/redrive', { ...wanted, dryRun: true });
    expect(preview).toMatchObject({ count: SCALE.exhausted });
    await gateway.must(202, 'POST', '/api/v1/deliveries/redrive', wanted);
    await eventually('all are delivered', async () => (await deliveriesOf(gateway, id, 'delivered')).length === SCALE.exhausted, {
      deadlineMs: 30_000,
    });
    expect(receiver.received.map((request) => request.id).sort()).toEqual([...before].sort());
    expect(receiver.received.every(({ verified }) => verified)).toBe(true);
    expect(await gateway.settled()).toMatchObject({ dead: 0 });
  }, 120_000);
});

/** When each delivery came, by webhook-id. */
function groupById(receiver: Receiver): Map<string, number[]> {
  const byId = new Map<string, number[]>();
  for (const { id, at } of receiver.received) byId.set(id, [...(byId.get(id) ?? []), at]);
  return byId;
}
