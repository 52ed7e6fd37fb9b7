import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import type { Gateway } from '../support/gateway';
import { gatewayOn } from './gateway-on';
import { type HostileReceiver, HOSTILITIES } from './hostile-receivers';
import { deliveriesOf, type DeliveryView, eventsOf, publish } from './publish';
import { SCALE } from './scale';

const TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 1_000;
const GRACE_MS = 1_000;
const MEBIBYTE = 1_048_576;

describe.each(ENGINE_SETS)('Receivers that do their worst, on %s', (set) => {
  let gateway: Gateway;
  let close: () => Promise<void>;
  const receivers: HostileReceiver[] = [];

  beforeAll(async () => {
    ({ gateway, close } = await gatewayOn(set, { DELIVERY_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS) }));
  });
  afterAll(async () => {
    await close?.();
    await Promise.all(receivers.map((receiver) => receiver.stop()));
  });

  it(`${SCALE.hostileEach} deliveries to each kind: all end in time with the right reason, and leave no socket and no memory behind`, async () => {
    const endpoints = new Map<string, string>();
    for (const [index, { what, serve }] of HOSTILITIES.entries()) {
      const receiver = await serve();
      receivers.push(receiver);
      const eventType = `hostile-${index}`;
      const { id } = await gateway.subscribe(receiver.url, { timeoutMs: TIMEOUT_MS, retrySchedule: [] }, { eventTypes: [eventType] });
      endpoints.set(what, id);
    }
    const fds = await gateway.metric('process_open_fds');
    const memory = await gateway.metric('process_resident_memory_bytes');

    await publish(
      gateway,
      HOSTILITIES.flatMap((_, index) => eventsOf(`hostile-${index}`, SCALE.hostileEach)),
    );
    await gateway.settled();

    const found: [string, string[]][] = [];
    for (const { what } of HOSTILITIES) found.push([what, await outcomes(endpoints.get(what) ?? '')]);
    const wanted = HOSTILITIES.map(
      ({ what, status, code }) => [what, Array.from({ length: SCALE.hostileEach }, () => `${status} after 1 of ${code}`)] as const,
    );
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
    expect((await gateway.metric('process_resident_memory_bytes')) - memory).toBeLessThan(100 * MEBIBYTE);
    expect(receivers.map((receiver) => receiver.open())).toEqual(receivers.map(() => 0));
    await eventually('its files and sockets are as many as before', async () => (await gateway.metric('process_open_fds')) <= fds + 5);
  }, 120_000);

  /** What became of each delivery of an endpoint, with its only attempt. */
  async function outcomes(endpointId: string): Promise<string[]> {
    const all: DeliveryView[] = [];
    // One after the other: connections of this test's own must not count.
    for (const { id } of await deliveriesOf(gateway, endpointId)) all.push(await gateway.must(200, 'GET', `/api/v1/deliveries/${id}`));
    return all.map(({ status, attempts }) => {
      const slow = attempts.filter(({ durationMs }) => durationMs > TIMEOUT_MS + GRACE_MS);
      const took = slow.length > 0 ? `, ${slow[0]?.durationMs} ms` : '';
      return `${status} after ${attempts.length} of ${attempts.map(({ code }) => code).join()}${took}`;
    });
  }
});
