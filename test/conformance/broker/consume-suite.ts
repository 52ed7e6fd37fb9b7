import { GatewayError } from '../../../src/core/errors';
import type { Broker, IncomingMessage, Verdict } from '../../../src/broker/broker';
import { REDELIVERY_LIMIT, type Topology } from '../../../src/broker/topology';
import {
  ACK,
  ackAll,
  type BrokerHarness,
  consume,
  isEmpty,
  latch,
  makeTopology,
  message,
  numbers,
  publishAll,
  QUICK,
  takeAll,
  takeDead,
  textsOf,
  until,
} from './harness';

const RETRY: Verdict = { kind: 'retry', reason: 'not yet' };

export function consumeSuite(harness: () => BrokerHarness): void {
  const opened: Broker[] = [];
  const open = async (topology: Topology): Promise<Broker> => {
    const broker = await harness().open(topology, QUICK);
    opened.push(broker);
    return broker;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((broker) => broker.close()));
  });

  it('hands out groups within the limits of count and bytes', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    const small = numbers(25);
    const large = Array.from({ length: 6 }, () => 'x'.repeat(400));
    const huge = 'y'.repeat(5_000);
    await publishAll(broker, topology.queue, [...small, ...large, huge]);
    const groups: IncomingMessage[][] = [];
    const limits = { maxGroupMessages: 10, maxGroupBytes: 1_000 };
    await consume(broker, topology.queue, (group) => (groups.push(group), ackAll(group)), limits);
    // What is on its way from the server is counted nowhere, so an empty queue alone does not say it.
    await until('all are handed out', () => groups.flat().length >= small.length + large.length + 1);
    await until('nothing is left', () => isEmpty(broker, topology.queue));
    expect(textsOf(groups.flat())).toEqual([...small, ...large, huge]);
    for (const group of groups) {
      const bytes = group.reduce((sum, { body }) => sum + body.length, 0);
      expect(group.length).toBeLessThanOrEqual(10);
      expect(bytes <= 1_000 || group.length === 1).toBe(true);
    }
    // That groups are formed at all: the prefetch of RabbitMQ starts small, so not each is full.
    expect(groups.length).toBeLessThan(small.length);
  });

  it('keeps the order of a queue that one worker takes', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, numbers(300));
    expect(textsOf(await takeAll(broker, topology.queue, 300))).toEqual(numbers(300));
  });

  it('has at most `concurrency` groups in flight, and that many', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, numbers(60));
    let inFlight = 0;
    let most = 0;
    const gate = latch();
    const handle = async (group: IncomingMessage[]): Promise<Verdict[]> => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await gate.promise;
      inFlight -= 1;
      return ackAll(group);
    };
    await consume(broker, topology.queue, handle, { concurrency: 3, maxGroupMessages: 2 });
    await until('three groups are in flight', () => inFlight === 3);
    gate.open();
    await until('nothing is left', () => isEmpty(broker, topology.queue));
    expect(most).toBe(3);
  });

  it('obeys the verdict on each message of a group', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, ['good', 'dead', 'again', 'good too']);
    const groups: { texts: string[]; redeliveries: number }[] = [];
    await consume(broker, topology.queue, (group) => {
      groups.push({ texts: textsOf(group), redeliveries: group[0]?.redeliveries ?? -1 });
      const verdictOf = (text: string): Verdict => (text === 'dead' ? { kind: 'dead', reason: 'of no use' } : ACK);
      return Promise.resolve(
        group.map((one) => (one.body.toString() === 'again' && one.redeliveries === 0 ? RETRY : verdictOf(one.body.toString()))),
      );
    });
    await until('the one is handed out again', () => groups.some(({ redeliveries }) => redeliveries > 0));
    await until('nothing is left', () => isEmpty(broker, topology.queue));
    const again = groups.filter(({ texts }) => texts.includes('again'));
    expect(again).toHaveLength(2);
    expect(again[1]).toEqual({ texts: ['again'], redeliveries: 1 });
    const [dead] = await takeDead(broker, topology.queue, 1);
    expect(dead?.body.toString()).toBe('dead');
    expect(dead?.headers).toMatchObject({ 'x-dead-reason': 'of no use', 'x-original-queue': topology.queue });
    expect(Number(dead?.headers['x-dead-at'])).toBeGreaterThan(Date.now() - 60_000);
  });

  it('keeps id and headers of what is dead', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await broker.publish(message(topology.queue, 'x', { id: 'kept', headers: { 'x-request-id': 'r1' } }));
    await consume(broker, topology.queue, (group) => Promise.resolve(group.map(() => ({ kind: 'dead', reason: 'r' }))));
    const [dead] = await takeDead(broker, topology.queue, 1);
    expect(dead).toMatchObject({ id: 'kept', headers: { 'x-request-id': 'r1' } });
  });

  it('tries each message of a failed group alone, and only what fails alone again', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    const gate = latch();
    const handed: { texts: string[]; redeliveries: number }[] = [];
    await publishAll(broker, topology.queue, ['a', 'poison', 'b', 'c']);
    await consume(broker, topology.queue, async (group) => {
      const texts = textsOf(group);
      handed.push({ texts, redeliveries: group[0]?.redeliveries ?? -1 });
      if (texts.includes('poison') && (group[0]?.redeliveries ?? 0) < 2) throw new Error('no good');
      await gate.promise;
      return ackAll(group);
    });
    gate.open();
    await until('poison is handed out for the third time', () => handed.some(({ redeliveries }) => redeliveries === 2));
    await until('nothing is left', () => isEmpty(broker, topology.queue));
    for (const text of ['a', 'b', 'c']) {
      const last = handed.filter(({ texts }) => texts.includes(text)).at(-1);
      expect(last?.redeliveries).toBe(0);
    }
    const poison = handed.filter(({ texts }) => texts.includes('poison'));
    expect(poison.filter(({ redeliveries }) => redeliveries > 0)).toEqual([
      { texts: ['poison'], redeliveries: 1 },
      { texts: ['poison'], redeliveries: 2 },
    ]);
  });

  it(`lays a message that fails ${REDELIVERY_LIMIT} times alone in the dead queue, and holds nothing up for it`, async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, ['poison', ...numbers(50)]);
    let tries = 0;
    let goodAfter = -1;
    let good = 0;
    await consume(broker, topology.queue, (group) => {
      const texts = textsOf(group);
      if (group.length === 1 && texts[0] === 'poison') tries += 1;
      if (texts.includes('poison')) return Promise.reject(new Error('never'));
      good += group.length;
      if (good === 50) goodAfter = tries;
      return ackAll(group);
    });
    const [dead] = await takeDead(broker, topology.queue, 1);
    expect(tries).toBe(REDELIVERY_LIMIT);
    expect(dead?.headers['x-dead-reason']).toMatch(/never/);
    expect(goodAfter).toBeGreaterThanOrEqual(0);
    expect(goodAfter).toBeLessThan(REDELIVERY_LIMIT);
    await until('nothing is left', () => isEmpty(broker, topology.queue));
  });

  it('waits through an outage with the messages in hand, and counts nothing', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, numbers(10));
    let away = true;
    let asked = 0;
    let attempts = 0;
    const handled: IncomingMessage[] = [];
    const handle = (group: IncomingMessage[]): Promise<Verdict[]> => {
      attempts += 1;
      if (away) return Promise.reject(new GatewayError('storage_unavailable'));
      handled.push(...group);
      return ackAll(group);
    };
    const isAvailable = (): Promise<boolean> => {
      asked += 1;
      return asked % 2 === 0 ? Promise.reject(new Error('no answer')) : Promise.resolve(!away);
    };
    await consume(broker, topology.queue, handle, { isAvailable, concurrency: 2 });
    // More outages than a message may fail: nothing of it may count.
    await until('it was asked often', () => asked > REDELIVERY_LIMIT + 5);
    await publishAll(broker, topology.queue, ['during']);
    const attemptsWhileAway = attempts;
    expect(attemptsWhileAway).toBeLessThanOrEqual(2); // two workers: nothing new was taken
    expect(handled).toHaveLength(0);
    away = false;
    await until('all are handled', () => handled.length === 11);
    expect(handled.every(({ redeliveries }) => redeliveries === 0)).toBe(true);
    await until('nothing is left', () => isEmpty(broker, topology.queue));
    expect(await isEmpty(broker, `${topology.queue}.dead`)).toBe(true);
  });

  it('does not count failures while the probe says yes but the work still fails', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, ['x']);
    let attempts = 0;
    const handled: number[] = [];
    await consume(broker, topology.queue, (group) => {
      attempts += 1;
      if (attempts <= REDELIVERY_LIMIT + 2) return Promise.reject(new GatewayError('storage_unavailable'));
      handled.push(group[0]?.redeliveries ?? -1);
      return ackAll(group);
    });
    await until('it is handled', () => handled.length === 1);
    expect(handled).toEqual([0]);
  });

  it('pauses and resumes', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    const handled: string[] = [];
    const consumption = await consume(broker, topology.queue, (group) => (handled.push(...textsOf(group)), ackAll(group)));
    await publishAll(broker, topology.queue, ['before']);
    await until('the first is handled', () => handled.length === 1);
    await consumption.pause();
    await publishAll(broker, topology.queue, ['a', 'b']);
    await until('both wait', async () => (await broker.depth(topology.queue)).messages === 2);
    expect(handled).toEqual(['before']);
    await consumption.resume();
    await until('nothing is left', () => isEmpty(broker, topology.queue));
    expect(handled).toEqual(['before', 'a', 'b']);
  });

  it('finishes what is in flight when it is paused', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    const gate = latch();
    let started = 0;
    const handle = async (group: IncomingMessage[]): Promise<Verdict[]> => {
      started += group.length;
      await gate.promise;
      return ackAll(group);
    };
    const consumption = await consume(broker, topology.queue, handle, { maxGroupMessages: 1 });
    await publishAll(broker, topology.queue, ['a', 'b']);
    await until('one is in hand', () => started === 1);
    await consumption.pause();
    gate.open();
    await until('the other waits', async () => (await broker.depth(topology.queue)).messages === 1);
    expect(started).toBe(1);
  });

  it('stops: what is in flight is settled, the rest goes back', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, numbers(20));
    const gate = latch();
    const handled: string[] = [];
    const handle = async (group: IncomingMessage[]): Promise<Verdict[]> => {
      handled.push(...textsOf(group));
      await gate.promise;
      return ackAll(group);
    };
    const consumption = await consume(broker, topology.queue, handle, { concurrency: 2, maxGroupMessages: 2 });
    await until('two groups are in flight', () => handled.length >= 2);
    const before = handled.length;
    const stopping = consumption.stop(10_000);
    gate.open();
    await stopping;
    expect(handled).toHaveLength(before);
    const rest = await takeAll(broker, topology.queue, 20 - before);
    expect([...handled, ...textsOf(rest)].sort()).toEqual(numbers(20).sort());
  });

  it('gives back at the deadline what is still in hand, and ignores its late answer', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, ['slow']);
    const gate = latch();
    const answered = latch();
    let started = false;
    const consumption = await consume(broker, topology.queue, async (group) => {
      started = true;
      await gate.promise;
      answered.open();
      return ackAll(group);
    });
    await until('it is in hand', () => started);
    await consumption.stop(50);
    gate.open();
    await answered.promise;
    expect(textsOf(await takeAll(broker, topology.queue, 1))).toEqual(['slow']);
  });

  it('stops at once while it waits through an outage, and gives back what it holds', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await publishAll(broker, topology.queue, numbers(3));
    let asked = 0;
    const consumption = await consume(broker, topology.queue, () => Promise.reject(new GatewayError('storage_unavailable')), {
      isAvailable: () => Promise.resolve(++asked < 0),
    });
    await until('it waits', () => asked > 1);
    await consumption.stop(10_000);
    expect(textsOf(await takeAll(broker, topology.queue, 3)).sort()).toEqual(numbers(3));
  });
}
