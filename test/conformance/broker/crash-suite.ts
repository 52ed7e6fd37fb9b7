import type { Broker, IncomingMessage } from '../../../src/broker/broker';
import { REDELIVERY_LIMIT } from '../../../src/broker/topology';
import { killChildren, startChild } from './children';
import {
  ackAll,
  type BrokerHarness,
  consume,
  isEmpty,
  makeTopology,
  numbers,
  publishAll,
  QUICK,
  takeDead,
  textsOf,
  until,
} from './harness';

export function crashSuite(harness: () => BrokerHarness): void {
  const opened: Broker[] = [];
  afterEach(async () => {
    await killChildren();
    await Promise.all(opened.splice(0).map((broker) => broker.close()));
  });

  it('hands out again, alone and counted, what a killed process had in hand', async () => {
    const topology = makeTopology();
    const first = await harness().open(topology, QUICK);
    await publishAll(first, topology.queue, numbers(5));
    await first.close();
    const child = startChild('child.ts', [harness().target, JSON.stringify(topology), topology.queue]);
    await child.wrote(5);
    await child.kill();

    const broker = await harness().open(topology, QUICK);
    opened.push(broker);
    await publishAll(broker, topology.queue, ['fresh', 'fresh too']);
    const groups: IncomingMessage[][] = [];
    await consume(broker, topology.queue, (group) => (groups.push(group), ackAll(group)));
    await until('all are handled', async () => groups.flat().length >= 7 && (await isEmpty(broker, topology.queue)));
    const again = groups.filter((group) => group.some(({ redeliveries }) => redeliveries > 0));
    expect(again.map(textsOf)).toEqual(numbers(5).map((text) => [text]));
    expect(again.flat().map(({ redeliveries }) => redeliveries)).toEqual(numbers(5).map(() => 1));
  });

  it(`lays in the dead queue what ${REDELIVERY_LIMIT} processes died of`, async () => {
    const topology = makeTopology();
    let broker = await harness().open(topology, QUICK);
    await publishAll(broker, topology.queue, ['deadly']);
    let handed = 0;
    // Closing without an answer is a death to the broker: the message was handed out and never settled.
    for (let death = 0; death < REDELIVERY_LIMIT; death += 1) {
      await consume(broker, topology.queue, () => ((handed += 1), new Promise(() => undefined)));
      await until('it is in hand', () => handed === death + 1);
      await harness().crash(broker);
      broker = await harness().open(topology, QUICK);
    }
    opened.push(broker);
    await consume(broker, topology.queue, (group) => ((handed += 1), ackAll(group)));
    const [dead] = await takeDead(broker, topology.queue, 1);
    expect(textsOf(dead ? [dead] : [])).toEqual(['deadly']);
    expect(dead?.headers['x-dead-reason']).toMatch(/never answered/);
    expect(handed).toBe(REDELIVERY_LIMIT);
  });
}
