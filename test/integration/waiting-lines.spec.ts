import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import type { Receiver } from '../support/receiver';
import { DeliveryRig } from './delivery-rig';

describe.each(ENGINES)('waiting lines on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot({ DELIVERY_MAX_IN_FLIGHT_PER_ENDPOINT: '2', DELIVERY_CIRCUIT_MIN_ATTEMPTS: '0', DELIVERY_DRAIN_MS: '0' });
  });
  afterEach(() => rig.close());

  /** An endpoint that is known to answer quickly. */
  const quick = async (): Promise<{ id: string; receiver: Receiver }> => {
    const receiver = await rig.receiver();
    const { id } = await rig.endpoint('line', { url: receiver.url });
    await rig.send('line', 2);
    await rig.reached(id, { delivered: 2 });
    receiver.clear();
    return { id, receiver };
  };
  const leased = async (endpointId: string) => (await rig.deliveriesTo(endpointId)).filter((row) => row.leased_by !== null).length;

  it('keep a quick endpoint’s deliveries in hand, and its attempts within their number', async () => {
    const { id, receiver } = await quick();
    receiver.answer = () => ({ status: 204, delayMs: 20 });
    let most = 0;
    const inFlight = setInterval(
      () => void rig.metrics.inFlight.get().then(({ values }) => (most = Math.max(most, values[0]?.value ?? 0))),
      2,
    );
    await rig.send('line', 40);
    await rig.reached(id, { delivered: 42 });
    clearInterval(inFlight);
    expect(most).toBeLessThanOrEqual(2);
    expect(new Set(receiver.received.map((request) => request.id)).size).toBe(40);
    expect(receiver.received).toHaveLength(40);
  });

  it('go back to the database when the endpoint begins to hang, and are delivered once when it answers again', async () => {
    const { id, receiver } = await quick();
    receiver.answer = () => undefined;
    await rig.send('line', 20);
    expect(await leased(id)).toBe(20);
    await eventually('only what is attempted is leased', async () => (await leased(id)) === 2);
    expect(await rig.statusesOf(id)).toEqual({ delivered: 2, pending: 20 });
    const hanging = new Set(receiver.received.map((request) => request.id));
    receiver.answer = () => ({ status: 204 });
    receiver.clear();
    // The two that hang are cut off and taken up again.
    await rig.shutDown();
    await rig.boot();
    await eventually('all are delivered', async () => (await rig.statusesOf(id)).delivered === 22);
    const counts = receiver.received.filter((request) => !hanging.has(request.id)).map((request) => request.id);
    expect(counts).toHaveLength(new Set(counts).size);
    expect(await rig.ledger()).toMatchObject({ accepted: 22, delivered: 22, pending: 0 });
  });
});
