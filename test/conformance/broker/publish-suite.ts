import type { Broker } from '../../../src/broker/broker';
import { deadQueueOf, type Topology } from '../../../src/broker/topology';
import {
  type BrokerHarness,
  consume,
  isEmpty,
  makeTopology,
  message,
  numbers,
  publishAll,
  QUICK,
  takeAll,
  textsOf,
  until,
} from './harness';

export function publishSuite(harness: () => BrokerHarness): void {
  const opened: Broker[] = [];
  const open = async (topology: Topology): Promise<Broker> => {
    const broker = await harness().open(topology, QUICK);
    opened.push(broker);
    return broker;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((broker) => broker.close()));
  });

  it('hands out what was published: body, id, headers, where it came by', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    const body = Buffer.from([0, 255, 10, 13, 0xc3, 0x28]);
    const headers = { 'x-request-id': 'a', 'x-text': 'é\u0000"\n' };
    await broker.publish({ exchange: topology.direct, routingKey: topology.queue, id: 'id-1', body, headers });
    const [taken] = await takeAll(broker, topology.queue, 1);
    expect(taken).toMatchObject({
      id: 'id-1',
      queue: topology.queue,
      exchange: topology.direct,
      routingKey: topology.queue,
      headers,
      redeliveries: 0,
    });
    expect(taken?.body.equals(body)).toBe(true);
  });

  it('takes an empty body and one of 3 MiB', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    const large = Buffer.alloc(3 * 1024 * 1024, 7);
    await broker.publish(message(topology.queue, ''));
    await broker.publish(message(topology.queue, large));
    const taken = await takeAll(broker, topology.queue, 2);
    expect(taken.map(({ body }) => body.length)).toEqual([0, large.length]);
    expect(taken[1]?.body.equals(large)).toBe(true);
  });

  it('is ready once it is open, and no more when it is closed', async () => {
    const broker = await open(makeTopology());
    expect(broker.status()).toEqual({ ready: true });
    await broker.close();
    expect(broker.status().ready).toBe(false);
    await expect(broker.publish(message('any', 'x'))).rejects.toMatchObject({ code: 'broker_unavailable' });
  });

  it.each(['no such queue', 'no binding'])('refuses what reaches no queue: %s', async (reason) => {
    const topology = makeTopology();
    const broker = await open(topology);
    const unroutable = message('nobody', 'x', { exchange: reason === 'no binding' ? topology.direct : '' });
    const neighbours = numbers(20).map((text) => broker.publish(message(topology.queue, text)));
    await expect(broker.publish(unroutable)).rejects.toMatchObject({ code: 'broker_unavailable' });
    await expect(Promise.all(neighbours)).resolves.toHaveLength(20);
  });

  it('tells the depth, of handled messages too, until they are acknowledged', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    expect(await broker.depth(topology.queue)).toEqual({ messages: 0, consumers: 0 });
    await publishAll(broker, topology.queue, numbers(5));
    await until('all five are counted', async () => (await broker.depth(topology.queue)).messages === 5);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let handled = 0;
    await consume(broker, topology.queue, async (group) => {
      handled += group.length;
      await released;
      return group.map(() => ({ kind: 'ack' }));
    });
    await until('some are in hand', () => handled > 0);
    await until('five are counted while some are in hand', async () => {
      const { messages, consumers } = await broker.depth(topology.queue);
      return messages === 5 && consumers > 0; // RabbitMQ counts a cancelled consumer until it has acknowledged
    });
    release();
    await until('nothing is left', () => isEmpty(broker, topology.queue));
  });

  it('keeps messages over a restart, in their order', async () => {
    const topology = makeTopology();
    const first = await open(topology);
    await publishAll(first, topology.queue, numbers(30));
    await first.close();
    const second = await open(topology);
    await publishAll(second, topology.queue, ['last']);
    expect(textsOf(await takeAll(second, topology.queue, 31))).toEqual([...numbers(30), 'last']);
    expect(await isEmpty(second, topology.queue)).toBe(true);
  });

  it('takes several thousand publishes at once, each confirmed once', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    await Promise.all(numbers(3_000).map((text) => broker.publish(message(topology.queue, text))));
    const taken = await takeAll(broker, topology.queue, 3_000);
    expect(new Set(textsOf(taken)).size).toBe(3_000);
    expect(taken).toHaveLength(3_000);
  });

  describe('topic exchanges', () => {
    const patterns = ['#', '*', 'a.*', 'a.#', '#.c', 'a.*.c', 'a.#.c', '*.*', 'a', '#.b.#'];
    const cases: [key: string, taken: string[]][] = [
      ['a', ['#', '*', 'a.#', 'a']],
      ['c', ['#', '*', '#.c']],
      ['b', ['#', '*', '#.b.#']],
      ['a.b', ['#', 'a.*', 'a.#', '*.*', '#.b.#']],
      ['a.c', ['#', 'a.*', 'a.#', '#.c', 'a.#.c', '*.*']],
      ['a.b.c', ['#', 'a.#', '#.c', 'a.*.c', 'a.#.c', '#.b.#']],
      ['a.b.b.c', ['#', 'a.#', '#.c', 'a.#.c', '#.b.#']],
      ['x.y.z', ['#']],
      ['', ['#']],
      ['a.', ['#', 'a.*', 'a.#', '*.*']],
    ];

    it('match as AMQP says', async () => {
      const base = makeTopology(patterns.length);
      const queueOf = new Map(patterns.map((pattern, index) => [pattern, base.queues[index] ?? '']));
      const bindings = patterns.map((pattern) => ({ exchange: base.topic, queue: queueOf.get(pattern) ?? '', pattern }));
      const broker = await open({ ...base, bindings });
      for (const [key] of cases) await broker.publish(message(key, key, { exchange: base.topic }));
      for (const pattern of patterns) {
        const expected = cases.filter(([, taken]) => taken.includes(pattern)).map(([key]) => key);
        const taken = await takeAll(broker, queueOf.get(pattern) ?? '', expected.length);
        expect([pattern, textsOf(taken)]).toEqual([pattern, expected]);
      }
    });

    it('give one copy to a queue that is bound twice', async () => {
      const base = makeTopology();
      const bindings = ['a.#', '*.b'].map((pattern) => ({ exchange: base.topic, queue: base.queue, pattern }));
      const broker = await open({ ...base, bindings });
      await broker.publish(message('a.b', 'once', { exchange: base.topic }));
      expect(textsOf(await takeAll(broker, base.queue, 1))).toEqual(['once']);
      expect(await isEmpty(broker, base.queue)).toBe(true);
    });
  });

  it('has a dead queue beside each queue', async () => {
    const topology = makeTopology();
    const broker = await open(topology);
    expect(await broker.depth(deadQueueOf(topology.queue))).toEqual({ messages: 0, consumers: 0 });
  });
}
