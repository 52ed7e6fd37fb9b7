import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import type { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';
import { gatewayOn } from './gateway-on';
import { deliveriesOf, eventsOf, publish } from './publish';
import { SCALE } from './scale';

/** Attempts at once to one endpoint. */
const CAP = 10;
/** For one delivery of the quiet account, on a busy machine; the figure itself is printed. */
const NEIGHBOUR_WITHIN_MS = 10_000;
const { endpoints: STORM_ENDPOINTS, events: STORM_EVENTS } = SCALE.storm;

describe.each(ENGINE_SETS)('One among others, on %s', (set) => {
  let gateway: Gateway;
  let close: () => Promise<void>;
  let receiver: Receiver;

  beforeEach(async () => {
    [{ gateway, close }, receiver] = await Promise.all([
      // Without circuits, so that every delivery of the storm is due at once.
      gatewayOn(set, { DELIVERY_MAX_IN_FLIGHT_PER_ENDPOINT: String(CAP), DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0' }),
      Receiver.start(),
    ]);
  });
  afterEach(async () => {
    await close?.();
    await receiver?.stop();
  });

  it(`an account with ${SCALE.noisy.events} deliveries to a receiver that hangs does not hold up another`, async () => {
    receiver.answer = ({ path }) => (path.endsWith('/hangs') ? undefined : { status: 204 });
    const noisy = await gateway.newAccount();
    const quiet = await gateway.newAccount();
    const { id } = await gateway.subscribe(`${receiver.url}/hangs`, { accountId: noisy.accountId, timeoutMs: 30_000 });
    const neighbour = await gateway.subscribe(receiver.url, { accountId: quiet.accountId });
    await publish(gateway, eventsOf('flood', SCALE.noisy.events, { accountId: noisy.accountId }));
    await eventually('the receiver hangs', () => receiver.received.length > 0);

    const times: number[] = [];
    let count = receiver.received.filter(({ path }) => !path.endsWith('/hangs')).length;
    for (let event = 0; event < SCALE.noisy.neighbours; event++) {
      const started = Date.now();
      await publish(gateway, eventsOf('quiet', 1, { accountId: quiet.accountId }));
      count += 1;
      const isThere = (): boolean => receiver.received.filter(({ path }) => !path.endsWith('/hangs')).length >= count;
      await eventually('the neighbour is delivered', isThere, { deadlineMs: NEIGHBOUR_WITHIN_MS, everyMs: 5 });
      times.push(Date.now() - started);
    }
    times.sort((a, b) => a - b);
    console.log(`${set}: ${times.length} of the quiet account in ${times[Math.floor(times.length / 2)]} ms, at most ${times.at(-1)} ms`);
    // All of it happened while next to nothing of the other account had ended.
    const { pending } = await gateway.must(200, 'GET', '/api/v1/ledger').then(({ total }) => total);
    expect(pending).toBeGreaterThan(SCALE.noisy.events * 0.9);
    const settled = async (): Promise<number> => (await deliveriesOf(gateway, neighbour.id, 'delivered')).length;
    await eventually('all of the neighbour are delivered', async () => (await settled()) === SCALE.noisy.neighbours);
    expect((await gateway.must(200, 'GET', `/api/v1/deliveries?endpointId=${id}&status=delivered`)).data).toEqual([]);
  }, 300_000);

  it(`${STORM_ENDPOINTS} endpoints come back at once for ${STORM_ENDPOINTS * STORM_EVENTS} deliveries: within their caps, nothing lost`, async () => {
    let isUp = false;
    const open = new Map<string, number>();
    const arrived = new Map<string, number>();
    const ids = new Map<string, Set<string>>();
    let mostAtOnce = 0;
    receiver.answer = ({ path, id }) => {
      if (!isUp) return { status: 503 };
      arrived.set(path, (arrived.get(path) ?? 0) + 1);
      ids.set(path, (ids.get(path) ?? new Set()).add(id));
      open.set(path, (open.get(path) ?? 0) + 1);
      mostAtOnce = Math.max(mostAtOnce, open.get(path) ?? 0);
      // Counted down a moment before the answer leaves, so never too high.
      setTimeout(() => open.set(path, (open.get(path) ?? 0) - 1), 18);
      return { status: 204, delayMs: 20 };
    };
    const names = Array.from({ length: STORM_ENDPOINTS }, (_, index) => `storm-${index}`);
    for (const name of names)
      await gateway.subscribe(`${receiver.url}/${name}`, { name, retrySchedule: Array<number>(40).fill(2) }, { eventTypes: ['storm'] });
    await publish(gateway, eventsOf('storm', STORM_EVENTS));
    await eventually('every delivery has failed once', () => receiver.received.length >= STORM_ENDPOINTS * STORM_EVENTS, {
      deadlineMs: 120_000,
    });
    isUp = true;
    await gateway.settled(300_000);
    expect([...ids.values()].map((set) => set.size)).toEqual(names.map(() => STORM_EVENTS));
    expect([...arrived.values()]).toEqual(names.map(() => STORM_EVENTS));
    console.log(`${set}: at most ${mostAtOnce} attempts at once to one endpoint`);
    expect(mostAtOnce).toBeLessThanOrEqual(CAP);
  }, 500_000);
});
