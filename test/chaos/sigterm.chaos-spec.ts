import { ENGINE_SETS } from '../support/engines';
import { eventually } from '../support/eventually';
import { Rig } from './rig';
import { SCALE } from './scale';

const LOAD = { requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3, restSenders: 4 };
const DELAY_MS = 1_000;

describe.each(ENGINE_SETS)('SIGTERM under load, on %s', (set) => {
  let rig: Rig;

  beforeAll(
    async () =>
      void (rig = await Rig.start({
        engines: set,
        env: { HOOK_SERVER_SHUTDOWN_DELAY_MS: String(DELAY_MS) },
        endpoint: { timeoutMs: 15_000 },
      })),
  );
  afterAll(() => rig?.close());

  it(
    `${SCALE.sigtermRounds} times: not ready first, what is under way is finished, exit 0, nothing lost, nothing twice`,
    async () => {
      const { sender, gateway, receivers } = rig;
      const answerAfter = (delayMs: number): void => {
        for (const { receiver } of Object.values(receivers)) receiver.answer = () => ({ status: 200, delayMs });
      };
      answerAfter(SCALE.sigtermAnswerMs);
      for (let round = 0; round < SCALE.sigtermRounds; round++) {
        sender.startLoad(LOAD);
        await rig.moreArrive(60);
        const ended = gateway.terminate();
        await gateway.answers('/health/ready', 503);
        // Load balancers have not noticed yet: it still takes in what comes.
        sender.clearTimes();
        await eventually('requests are accepted while it is not ready', () => (sender.statuses.get('facebook 200') ?? 0) > 0);
        expect(await ended).toEqual({ code: 0, signal: null });
        gateway.start();
        await gateway.becomesReady();
        await sender.stopLoad();
      }
      // What has piled up behind slow answers need not be waited for at their pace.
      answerAfter(0);
      const { duplicates, accepted } = await rig.expectNothingLost(`${set}, ${SCALE.sigtermRounds} times SIGTERM`, 180_000);
      // What was under way was finished and recorded before the end: nothing came twice.
      expect(duplicates).toBe(0);
      expect(accepted).toBeGreaterThan(60);
    },
    SCALE.sigtermRounds * 60_000 + 300_000,
  );
});
