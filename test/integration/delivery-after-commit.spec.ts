import { DispatcherService } from '../../src/dispatcher/dispatcher.service';
import { ENGINES } from '../conformance/storage/engines';
import { DeliveryRig } from './delivery-rig';
import { incoming, requestOf } from './dispatch-rig';

/** Longer than the database is waited for after a delivery found no slot, and far shorter than the looks are apart. */
const SLOW_COMMIT_MS = 300;

describe.each(ENGINES)('what is stored without a slot on $engine', (engine) => {
  let rig: DeliveryRig;

  beforeEach(async () => {
    rig = await DeliveryRig.create(engine);
    await rig.boot({ DELIVERY_PULL_INTERVAL_MS: '60000' });
  });
  afterEach(() => rig.close());

  it('is taken up once it is committed, however long that took', async () => {
    const receiver = await rig.receiver();
    const { id } = await rig.endpoint('limited', { url: receiver.url, max_in_flight: 3 });
    const slowly = () => new Promise<void>((resolve) => setTimeout(resolve, SLOW_COMMIT_MS));
    const group = [requestOf([incoming({ eventType: 'limited' }), incoming({ eventType: 'limited' })])];
    await rig.get(DispatcherService).dispatch(group, { within: slowly });
    await rig.reached(id, { delivered: 2 });
  });
});
