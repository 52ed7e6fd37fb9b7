import { Settler } from '../../src/dispatcher/delivery/settler';
import { ENGINES } from '../conformance/storage/engines';
import { eventually } from '../support/eventually';
import { DeliveryRig } from './delivery-rig';

describe.each(ENGINES)('deliveries that wait for their endpoint’s turn on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot({ DELIVERY_MAX_IN_FLIGHT_PER_ENDPOINT: '4', DELIVERY_DRAIN_MS: '0' });
  });
  afterEach(() => rig.close());

  /** Counts the deliveries that go back to the database without an attempt. */
  const givenBack = (): (() => number) => {
    const giveBack = jest.spyOn(rig.get(Settler), 'giveBack');
    return () => giveBack.mock.calls.reduce((count, [ids]) => count + ids.length, 0);
  };

  it('stay in hand while one attempt of several hangs', async () => {
    const receiver = await rig.receiver();
    const { id } = await rig.endpoint('brisk', { url: receiver.url });
    await rig.send('brisk');
    await rig.reached(id, { delivered: 1 });
    const count = givenBack();
    let hanging: string | undefined;
    receiver.answer = (request) => {
      hanging ??= request.id;
      return request.id === hanging ? undefined : { status: 204, delayMs: 50 };
    };
    await rig.send('brisk', 150);
    await rig.reached(id, { delivered: 150, pending: 1 });
    expect(count()).toBe(0);
  });

  it('go back once most of its attempts hang', async () => {
    const receiver = await rig.receiver();
    const { id } = await rig.endpoint('stuck', { url: receiver.url });
    await rig.send('stuck');
    await rig.reached(id, { delivered: 1 });
    const count = givenBack();
    receiver.answer = () => undefined;
    await rig.send('stuck', 100);
    await eventually('those that wait are back', () => count() >= 90);
    expect(receiver.received).toHaveLength(5);
  });
});
