import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { Rig } from './rig';
import { SCALE } from './scale';

/** As in kill-gateway: what was under way at the kill comes again. */
const AGAIN_PER_KILL = 300;
const LOAD = { requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3, restSenders: 4 };

// The embedded engines belong to one process.
describe('Two replicas on RabbitMQ and PostgreSQL', () => {
  let rig: Rig;

  beforeAll(async () => void (rig = await Rig.start({ engines: 'rabbitmq and postgres', replicas: 2 })));
  afterAll(() => rig?.close());

  it(
    `one or the other killed ${SCALE.replicaKills} times: the other takes over, nothing lost`,
    async () => {
      rig.sender.startLoad(LOAD);
      for (let kill = 0; kill < SCALE.replicaKills; kill++) {
        await rig.moreArrive(100);
        await wait(randomInt(100, 2_000)); // the moment is the test's input, nothing is waited for
        const [victim, other] = kill % 2 === 0 ? rig.gateways : [...rig.gateways].reverse();
        await victim?.kill();
        // The other one goes on without it.
        await rig.moreArrive(100);
        expect((await other?.get('/health/ready'))?.status).toBe(200);
        victim?.start();
        await victim?.becomesReady();
      }
      await rig.sender.stopLoad();
      const { duplicates } = await rig.expectNothingLost(`${SCALE.replicaKills} kills of one of two`);
      expect(duplicates).toBeLessThan(SCALE.replicaKills * AGAIN_PER_KILL);
    },
    SCALE.replicaKills * 60_000 + 200_000,
  );

  it('one killed for good: the other one finishes what it had in hand', async () => {
    const { sender, receivers } = rig;
    for (const { receiver } of Object.values(receivers)) receiver.answer = () => undefined;
    // Both have deliveries under way that no receiver ever answers.
    const enough = rig.arrivals + 100;
    for (let round = 0; round < 10; round++) expect(await sender.send(sender.newItems(10, 'events'))).toBe(202);
    await eventually('deliveries are under way', () => rig.arrivals >= enough);
    await rig.gateways[1]?.kill();
    for (const { receiver } of Object.values(receivers)) receiver.answer = () => ({ status: 204 });
    await rig.expectNothingLost('one of two killed for good');
    rig.gateways[1]?.start();
    await rig.gateways[1]?.becomesReady();
  }, 200_000);

  it('a rolling restart by SIGTERM under load: nothing lost, nothing twice', async () => {
    const { sender } = rig;
    const before = rig.judge().duplicates;
    sender.startLoad(LOAD);
    for (const gateway of rig.gateways) {
      await rig.moreArrive(100);
      expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
      gateway.start();
      await gateway.becomesReady();
    }
    await sender.stopLoad();
    const { duplicates } = await rig.expectNothingLost('a rolling restart');
    expect(duplicates).toBe(before);
  }, 200_000);
});
