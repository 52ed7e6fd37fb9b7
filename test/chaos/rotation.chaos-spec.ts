import { ENGINE_SETS } from '../support/engines';
import { ENDPOINTS } from './items';
import { Rig } from './rig';
import { SCALE } from './scale';

describe.each(ENGINE_SETS)('Secrets rotated under load, on %s', (set) => {
  let rig: Rig;

  beforeAll(async () => void (rig = await Rig.start({ engines: set })));
  afterAll(() => rig?.close());

  it(`${SCALE.rotations} times: no delivery fails to verify, neither by the old secret in the overlap nor by the new one after it`, async () => {
    const { sender, gateway, receivers } = rig;
    const { data } = await gateway.must(200, 'GET', '/api/v1/endpoints');
    const endpoints = data as { id: string; name: (typeof ENDPOINTS)[number] }[];
    sender.startLoad({ requestsPerSecond: 50, parallel: 10, itemsPerRequest: 3, restSenders: 2 });
    for (let rotation = 0; rotation < SCALE.rotations; rotation++) {
      await rig.moreArrive(100);
      for (const { id, name } of endpoints) {
        const { secret } = await gateway.must(200, 'POST', `/api/v1/endpoints/${id}/rotate-secret`);
        // The receiver still knows the old one alone, for a while.
        await rig.moreArrive(60);
        receivers[name].absorb();
        receivers[name].receiver.secrets = [secret];
      }
    }
    await sender.stopLoad();
    const { accepted } = await rig.expectNothingLost(`${set}, ${SCALE.rotations} rotations`);
    expect(accepted).toBeGreaterThan(100);
  }, 200_000);
});
