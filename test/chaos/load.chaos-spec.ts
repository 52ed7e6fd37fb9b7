import { setTimeout as wait } from 'node:timers/promises';
import { ENGINE_SETS } from '../support/engines';
import { Rig } from './rig';
import { IS_FULL, SCALE } from './scale';

const MEBIBYTE = 1_048_576;
const { perSecond, minutes, growthMiB } = SCALE.steady;

describe.each(ENGINE_SETS)('Load without faults, on %s', (set) => {
  let rig: Rig;

  beforeAll(async () => void (rig = await Rig.start({ engines: set, endpoint: { timeoutMs: 30_000 } })));
  afterAll(() => rig?.close());

  it(
    `steady, ${perSecond} requests a second for ${minutes} min: all taken, nothing lost, nothing twice, memory flat`,
    async () => {
      const { sender, gateway, receivers } = rig;
      for (const { receiver } of Object.values(receivers)) receiver.answer = () => ({ status: 204, delayMs: 20 });
      const memory = (): Promise<number> => gateway.metric('process_resident_memory_bytes');
      sender.startLoad({ requestsPerSecond: perSecond, parallel: 20, itemsPerRequest: 1 });
      await wait((minutes * 60_000) / 2); // the length of the run is the test's input
      rig.judge(); // keeps the books of the receivers short
      const half = await memory();
      await wait((minutes * 60_000) / 2);
      const growth = (await memory()) - half;
      await sender.stopLoad();
      const p99 = sender.p99Ms;
      console.log(`${set}: 99 of 100 answers in ${p99} ms, memory grew by ${Math.round(growth / MEBIBYTE)} MiB in the second half`);
      expect([...sender.statuses.keys()]).toEqual(['facebook 200']);
      const { duplicates } = await rig.expectNothingLost(`${set}, ${perSecond}/s for ${minutes} min`);
      expect(duplicates).toBe(0);
      expect(growth).toBeLessThan(growthMiB * MEBIBYTE);
      for (const { receiver } of Object.values(receivers)) receiver.answer = () => ({ status: 204 });
    },
    minutes * 60_000 + 200_000,
  );

  it(`a burst of ${SCALE.burstEvents} events: only 2xx and 503, and all of them arrive`, async () => {
    const { sender } = rig;
    sender.clearTimes();
    const started = Date.now();
    let left: number = SCALE.burstEvents;
    const send = async (): Promise<void> => {
      while (left > 0) {
        const count = Math.min(5, left);
        left -= count;
        const ids = sender.newItems(count);
        while ((await sender.send(ids)) !== 200);
      }
    };
    await Promise.all(Array.from({ length: 100 }, send));
    const takenMs = Date.now() - started;
    expect([...sender.statuses.keys()].filter((key) => !['facebook 200', 'facebook 503'].includes(key))).toEqual([]);
    const { duplicates } = await rig.expectNothingLost(`${set}, a burst of ${SCALE.burstEvents}`, IS_FULL ? 60_000 : 120_000);
    console.log(`${set}: taken in ${takenMs} ms, all delivered after ${Date.now() - started} ms`);
    expect(duplicates).toBe(0);
  }, 200_000);
});
