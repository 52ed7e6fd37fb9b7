import { eventually } from '../support/eventually';
import { execute } from '../support/services/processes';
import { Rig } from './rig';
import { SCALE } from './scale';

/**
 * No file of the process may become larger than this: SQLite's log is cut back at 4 MiB, so it hits the wall before. Needs neither
 * root nor a file system of its own; a write past the limit fails as on a full disk (EFBIG for ENOSPC).
 */
const FULL_AT_BYTES = 2 * 1_048_576;
const LOAD = { requestsPerSecond: 100, parallel: 20, itemsPerRequest: 10, restSenders: 4 };

describe('A full disk under the embedded engines', () => {
  let rig: Rig;

  beforeAll(async () => void (rig = await Rig.start({ engines: 'embedded' })));
  afterAll(() => rig?.close());

  const limitFiles = (limit: number | 'unlimited'): Promise<unknown> =>
    execute('prlimit', ['--pid', String(rig.gateway.pid), `--fsize=${limit}:unlimited`]);

  it(
    `${SCALE.diskFullRounds} times: it says 503 and that it is not ready, goes on when there is room, and has lost nothing`,
    async () => {
      const { sender, gateway } = rig;
      for (let round = 0; round < SCALE.diskFullRounds; round++) {
        sender.startLoad(LOAD);
        await rig.moreArrive(100);
        sender.clearTimes();
        await limitFiles(FULL_AT_BYTES);
        await eventually('requests are refused', () => (sender.statuses.get('facebook 503') ?? 0) > 10, { deadlineMs: 60_000 });
        await gateway.answers('/health/ready', 503);
        expect((await gateway.get('/health/live')).status).toBe(200);
        await limitFiles('unlimited');
        await gateway.becomesReady();
        await sender.stopLoad();
        const strange = [...sender.statuses.keys()].filter((key) => !/^(facebook 200|events 202|(facebook|events) 503)$/.test(key));
        expect(strange).toEqual([]);
      }
      await rig.expectNothingLost(`${SCALE.diskFullRounds} times a full disk`);
      // Its files open as they are.
      await gateway.kill();
      gateway.start();
      await gateway.becomesReady();
      expect(await sender.send(sender.newItems(10))).toBe(200);
      await rig.expectNothingLost('a start after the disk was full');
    },
    SCALE.diskFullRounds * 90_000 + 200_000,
  );
});
