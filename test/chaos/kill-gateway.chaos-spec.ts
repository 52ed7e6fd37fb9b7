import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ENGINE_SETS } from '../support/engines';
import { Rig } from './rig';
import { IS_FULL, SCALE } from './scale';

/** Of the starts, on a machine that does nothing else. */
const MEDIAN_READY_WITHIN_MS = 5_000;
const BURST = { requests: 40, items: 10 };
/** What comes again is what was under way at the kill: delivery.maxInFlightPerEndpoint for each of three endpoints. */
const AGAIN_PER_KILL = 300;
const { count, afterMs } = SCALE.gatewayKills;

describe.each(ENGINE_SETS)('kill -9 of the gateway, on %s', (set) => {
  let rig: Rig;

  beforeAll(async () => void (rig = await Rig.start({ engines: set })));
  afterAll(() => rig?.close());

  it(
    `${count} times at random moments under load: nothing lost, nothing again but what was under way`,
    async () => {
      rig.sender.startLoad({ requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3, restSenders: 4 });
      const startsMs: number[] = [];
      for (let kill = 0; kill < count; kill++) {
        await wait(randomInt(afterMs[0], afterMs[1])); // the moment is the test's input, nothing is waited for
        // So that it has its hands full, whatever the moment.
        await rig.sender.startBurst(BURST.requests, BURST.items);
        await rig.gateway.kill();
        const started = Date.now();
        rig.gateway.start();
        await rig.gateway.becomesReady();
        startsMs.push(Date.now() - started);
      }
      await rig.sender.stopLoad();
      const { accepted, duplicates } = await rig.expectNothingLost(`${set}, ${count} kills`);
      startsMs.sort((a, b) => a - b);
      const medianMs = startsMs[Math.floor(startsMs.length / 2)];
      console.log(`${set}: ready again after ${medianMs} ms, at the longest ${startsMs.at(-1)} ms`);
      expect(accepted).toBeGreaterThan(100 * count);
      expect(duplicates).toBeLessThan(count * AGAIN_PER_KILL);
      if (IS_FULL) expect(medianMs).toBeLessThan(MEDIAN_READY_WITHIN_MS);
    },
    count * 30_000 + 200_000,
  );
});
