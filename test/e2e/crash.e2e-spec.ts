import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { acquireEngines, ENGINE_SETS, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { FacebookSender } from '../support/facebook-sender';
import { Gateway } from '../support/gateway';
import { Receiver } from '../support/receiver';

const KILLS = 20;
/** Of what arrives, twice by the platform's own ids. */
const DUPLICATES_ALLOWED = 0.02;

describe.each(ENGINE_SETS)('kill -9 under load, on %s', (set) => {
  let engines: Engines;
  let gateway: Gateway;
  let receiver: Receiver;
  let sender: FacebookSender;

  beforeAll(async () => {
    [engines, receiver] = await Promise.all([acquireEngines(set), Receiver.start()]);
    gateway = await Gateway.ready(engines.options);
    const { secret } = await gateway.subscribe(receiver.url, { timeoutMs: 5_000 });
    receiver.secrets = [secret];
    sender = new FacebookSender(gateway.url);
  });
  afterAll(async () => {
    await sender?.close();
    await gateway?.remove();
    await receiver?.stop();
    await engines?.release();
  });

  it(`${KILLS} times at random moments: every item that got a 2xx arrives, under 2 % of them twice`, async () => {
    sender.startLoad({ requestsPerSecond: 100, parallel: 20, itemsPerRequest: 3 });
    for (let kill = 0; kill < KILLS; kill++) {
      await gateway.becomesReady();
      await wait(randomInt(100, 7_000)); // the moment is the test's input, nothing is waited for
      await gateway.kill();
      gateway.start();
    }
    await gateway.becomesReady();
    await sender.stopLoad();

    const arrivals = new Map<string, number>();
    let read = 0;
    const lost = (): number => {
      for (const { body } of receiver.received.slice(read)) {
        const { mid } = (JSON.parse(body.toString()) as { data: { message: { mid: string } } }).data.message;
        arrivals.set(mid, (arrivals.get(mid) ?? 0) + 1);
      }
      read = receiver.received.length;
      return [...sender.accepted].filter((id) => !arrivals.has(id)).length;
    };
    await eventually(
      'every accepted item has arrived',
      () => {
        if (lost() > 0) throw new Error(`${lost()} of ${sender.accepted.size} accepted items are missing`);
        return true;
      },
      { deadlineMs: 90_000, everyMs: 200 },
    );
    const { accepted, delivered, filtered, duplicate, dead, cancelled } = await gateway.settled(90_000);
    lost();

    const again = [...arrivals.values()].reduce((sum, count) => sum + count - 1, 0);
    console.log(`${set}: ${sender.accepted.size} items accepted, ${arrivals.size} arrived, ${again} of them again`);
    expect(sender.accepted.size).toBeGreaterThan(2_000);
    expect(again / arrivals.size).toBeLessThan(DUPLICATES_ALLOWED);
    expect(receiver.received.every((request) => request.verified)).toBe(true);
    expect(delivered).toBe(arrivals.size);
    expect(accepted).toBe(delivered + filtered + duplicate + dead + cancelled);
    expect({ dead, filtered, cancelled }).toEqual({ dead: 0, filtered: 0, cancelled: 0 });
  }, 300_000);
});
