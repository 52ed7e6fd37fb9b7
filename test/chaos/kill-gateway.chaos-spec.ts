import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ENGINE_SETS } from '../support/engines';
import { Rig } from './rig';
import { SCALE } from './scale';

const READY_WITHIN_MS = 5_000;
/** What comes again is what was under way at the kill: delivery.maxInFlightPerEndpoint for each of three endpoints. */
const AGAIN_PER_KILL = 300;
const { count, afterMs, againShare } = SCALE.gatewayKills;

describe.each(ENGINE_SETS)('kill -9 of the gateway, on %s', (set) => {
  let rig: Rig;

  beforeAll(async () => void (rig = await Rig.start({ engines: set })));
  afterAll(() => rig?.close());

  it(
    `${count} times at random moments under load: nothing lost, hardly anything twice`,
    async () => {
      rig.sender.startLoad({ requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3, restSenders: 4 });
      let slowestStartMs = 0;
      for (let kill = 0; kill < count; kill++) {
        await wait(randomInt(afterMs[0], afterMs[1])); // the moment is the test's input, nothing is waited for
        await rig.gateway.kill();
        const started = Date.now();
        rig.gateway.start();
        await rig.gateway.becomesReady();
        slowestStartMs = Math.max(slowestStartMs, Date.now() - started);
      }
      await rig.sender.stopLoad();
      const { accepted, arrived, duplicates } = await rig.expectNothingLost(`${set}, ${count} kills`);
      console.log(`${set}: ready again after ${slowestStartMs} ms at the longest`);
      expect(accepted).toBeGreaterThan(100 * count);
      expect(duplicates).toBeLessThan(count * AGAIN_PER_KILL);
      expect(duplicates / arrived).toBeLessThan(againShare);
      expect(slowestStartMs).toBeLessThan(READY_WITHIN_MS);
    },
    count * 30_000 + 200_000,
  );
});
