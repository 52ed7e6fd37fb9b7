import { connect, type ChannelModel } from 'amqplib';
import type { Broker } from '../../../src/broker/broker';
import type { Tuning } from '../../../src/broker/group-consumer';
import type { RabbitOptions } from '../../../src/broker/rabbitmq/rabbit-connection';
import type { RabbitConsumption } from '../../../src/broker/rabbitmq/rabbit-consumption';
import { RabbitMqBroker } from '../../../src/broker/rabbitmq/rabbitmq-broker';
import { queueArguments } from '../../../src/broker/rabbitmq/declare-topology';
import { deadQueueOf, type Topology } from '../../../src/broker/topology';
import { GatewayError } from '../../../src/core/errors';
import { acquireVhost } from '../../support/services/services';
import { TcpProxy } from '../../support/tcp-proxy';
import { killChildren, startChild } from './children';
import {
  ACK,
  ackAll,
  consume,
  isEmpty,
  latch,
  makeTopology,
  message,
  numbers,
  publishAll,
  QUICK,
  silence,
  takeAll,
  until,
} from './harness';
import { RABBIT_OPTIONS } from './open-broker';

const FAST: Omit<RabbitOptions, 'servers'> = { ...RABBIT_OPTIONS, publishTimeoutMs: 1_000, connectTimeoutMs: 1_000, heartbeatMs: 1_000 };

describe('RabbitMQ that fails', () => {
  let vhost: Awaited<ReturnType<typeof acquireVhost>>;
  let admin: ChannelModel;
  const opened: Broker[] = [];
  const proxies: TcpProxy[] = [];

  const open = async (servers: string[], topology: Topology, more: Partial<RabbitOptions> = {}, tuning: Partial<Tuning> = QUICK) => {
    const broker = await RabbitMqBroker.start({ ...FAST, ...more, servers }, topology, tuning);
    opened.push(broker);
    return broker;
  };
  const makeProxy = async (): Promise<{ proxy: TcpProxy; url: string }> => {
    const made = await TcpProxy.inFrontOf(vhost.url);
    proxies.push(made.proxy);
    return made;
  };
  const isReady = (broker: Broker): boolean => broker.status().ready;
  const trial = (broker: Broker, queue: string): Promise<boolean> =>
    broker.publish(message(queue, 'trial')).then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    silence();
    vhost = await acquireVhost();
    admin = await connect(vhost.url);
  });
  afterEach(async () => {
    await killChildren();
    for (const proxy of proxies) proxy.restore();
    await Promise.all(opened.splice(0).map((broker) => broker.close()));
    await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
  });
  afterAll(async () => {
    await admin.close();
    await vhost.release();
  });

  it('starts while RabbitMQ is away, refuses at once, and recovers by itself', async () => {
    const topology = makeTopology();
    const { proxy, url } = await makeProxy();
    proxy.cut();
    const broker = await open([url], topology, { bootWaitMs: 60_000 });
    expect(broker.status()).toMatchObject({ ready: false });
    await expect(broker.publish(message(topology.queue, 'x'))).rejects.toMatchObject({ code: 'broker_unavailable' });
    await expect(broker.depth(topology.queue)).rejects.toMatchObject({ code: 'broker_unavailable' });
    const handled: string[] = [];
    await consume(broker, topology.queue, (group) => (handled.push(...group.map(({ id }) => id)), ackAll(group)));
    proxy.restore();
    await until('it is ready', () => isReady(broker));
    await broker.publish(message(topology.queue, 'x', { id: 'after' }));
    await until('it is handled', () => handled.includes('after'));
  });

  it('goes on by itself after its connections were cut, and loses nothing that was confirmed', async () => {
    const topology = makeTopology();
    const { proxy, url } = await makeProxy();
    const broker = await open([url], topology);
    const handled = new Set<string>();
    await consume(broker, topology.queue, (group) => (group.forEach(({ id }) => handled.add(id)), ackAll(group)), { concurrency: 3 });
    const confirmed: string[] = [];
    let next = 0;
    for (let round = 0; round < 3; round += 1) {
      const burst = Array.from({ length: 200 }, () => `id-${next++}`);
      const publishing = burst.map((id) =>
        broker.publish(message(topology.queue, 'x', { id })).then(
          () => confirmed.push(id),
          () => undefined,
        ),
      );
      proxy.cut();
      await Promise.all(publishing);
      expect(isReady(broker)).toBe(false);
      proxy.restore();
      await until('it is ready', () => isReady(broker));
      await broker.publish(message(topology.queue, 'x', { id: `sure-${round}` }));
      confirmed.push(`sure-${round}`);
    }
    await until('all that was confirmed is handled', () => confirmed.every((id) => handled.has(id)));
  });

  it('survives a cut while a handler runs, in a process of its own that dies of unhandled rejections', async () => {
    const topology = makeTopology();
    const { proxy, url } = await makeProxy();
    const setup = await open([vhost.url], topology);
    await publishAll(setup, topology.queue, ['held']);
    const child = startChild('child.ts', [url, JSON.stringify(topology), topology.queue]);
    await child.wrote(1);
    proxy.cut();
    proxy.restore();
    await child.wrote(2); // it came back, and was handed out again to the same process
    expect(child.lines).toEqual(['held', 'held']);
  });

  it('ends every publish in time when the network swallows everything, and cuts the dead connection', async () => {
    const topology = makeTopology();
    const { proxy, url } = await makeProxy();
    const broker = await open([url], topology, { heartbeatMs: 60_000 });
    proxy.stall();
    const results = await Promise.allSettled(numbers(100).map((text) => broker.publish(message(topology.queue, text))));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    await until('it is not ready', () => !isReady(broker));
    proxy.restore();
    await until('it publishes again', () => trial(broker, topology.queue));
  });

  it('notices by itself that an idle connection is dead', async () => {
    const topology = makeTopology();
    const { proxy, url } = await makeProxy();
    const broker = await open([url], topology);
    proxy.stall();
    await until('it is not ready', () => !isReady(broker), 30_000);
    proxy.restore();
    await until('it is ready', () => isReady(broker));
  });

  it('consumes again after its queue was deleted', async () => {
    const topology = makeTopology();
    const broker = await open([vhost.url], topology);
    const handled: string[] = [];
    await consume(broker, topology.queue, (group) => (handled.push(...group.map(({ id }) => id)), ackAll(group)));
    await until('it consumes', async () => (await broker.depth(topology.queue)).consumers > 0);
    const channel = await admin.createChannel();
    await channel.deleteQueue(topology.queue);
    await channel.close();
    await until('it takes messages again', () => trial(broker, topology.queue));
    await until('it consumes again', () => handled.length > 0);
  });

  it('consumes again after its queue was deleted and declared again at once', async () => {
    const topology = makeTopology();
    const broker = await open([vhost.url], topology, { watchIntervalMs: 1_000 });
    const handled: string[] = [];
    await consume(broker, topology.queue, (group) => (handled.push(...group.map(({ id }) => id)), ackAll(group)));
    await broker.publish(message(topology.queue, 'x', { id: 'before' }));
    await until('it consumes', () => handled.includes('before'));
    const channel = await admin.createChannel();
    await channel.deleteQueue(topology.queue);
    await channel.assertQueue(topology.queue, { durable: true, arguments: queueArguments(topology.queue) });
    await channel.close();
    await broker.publish(message(topology.queue, 'x', { id: 'after' }));
    await until('it consumes again', () => handled.includes('after'));
  });

  it('consumes again when its consumer is gone without a word', async () => {
    const topology = makeTopology();
    const broker = await open([vhost.url], topology, { watchIntervalMs: 100 });
    const handled: string[] = [];
    await consume(broker, topology.queue, (group) => (handled.push(...group.map(({ id }) => id)), ackAll(group)));
    await until('it consumes', async () => (await broker.depth(topology.queue)).consumers > 0);
    // Behind the adapter's back, on its own channel: the broker says nothing more of it.
    for (const consumption of broker['consumptions'])
      await consumption['subscription'].channel?.cancel(consumption['subscription']['tag'] ?? '');
    await broker.publish(message(topology.queue, 'x', { id: 'after' }));
    await until('it is handled', () => handled.includes('after'));
  });

  it('binds again what was unbound, and confirms nothing in between', async () => {
    const topology = makeTopology();
    const broker = await open([vhost.url], topology);
    const channel = await admin.createChannel();
    await channel.unbindQueue(topology.queue, topology.direct, topology.queue);
    await channel.close();
    const bound = (): Promise<void> => broker.publish(message(topology.queue, 'x', { exchange: topology.direct }));
    await expect(bound()).rejects.toMatchObject({ code: 'broker_unavailable' });
    await until('it is bound', () =>
      bound().then(
        () => true,
        () => false,
      ),
    );
    expect(await takeAll(broker, topology.queue, 1)).toHaveLength(1);
  });

  it('refuses to start on a queue with other arguments, names them, and changes nothing', async () => {
    const topology = makeTopology(2);
    const channel = await admin.createChannel();
    await channel.assertQueue(topology.queue, { durable: true, arguments: { 'x-queue-type': 'classic' } });
    await channel.assertQueue(deadQueueOf(topology.queues[1] ?? ''), {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-overflow': 'drop-head' },
    });
    channel.sendToQueue(topology.queue, Buffer.from('precious'));
    const problems = [
      { kind: 'queue', name: topology.queue, argument: 'x-queue-type', found: 'classic', wanted: 'quorum' },
      { kind: 'queue', name: deadQueueOf(topology.queues[1] ?? ''), argument: expect.any(String) as string },
    ];
    const failure: unknown = await open([vhost.url], topology).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'BrokerTopologyError',
      problems: expect.arrayContaining(problems.map((problem) => expect.objectContaining(problem) as unknown)),
    });
    expect((failure as Error).message).toContain(`The queue ${topology.queue} exists with x-queue-type classic, wanted is quorum.`);
    expect(await channel.checkQueue(topology.queue)).toMatchObject({ messageCount: 1 });
    await channel.close();
  });

  it('uses the next server when the first is away, and comes back to one that works', async () => {
    const topology = makeTopology();
    const [first, second] = [await makeProxy(), await makeProxy()];
    first.proxy.cut();
    const broker = await open([first.url, second.url], topology);
    await until('it publishes over the second', () => trial(broker, topology.queue));
    second.proxy.cut();
    first.proxy.restore();
    await until('it publishes over the first', () => trial(broker, topology.queue));
  });

  it('gives back what it holds when an outage lasts too long, stays away, and comes back', async () => {
    const topology = makeTopology();
    const broker = await open([vhost.url], topology, {}, { ...QUICK, holdLimitMs: 100 });
    await publishAll(broker, topology.queue, numbers(5));
    let away = true;
    const handled: string[] = [];
    await consume(
      broker,
      topology.queue,
      (group) => {
        if (away) return Promise.reject(new GatewayError('storage_unavailable'));
        handled.push(...group.map(({ body }) => body.toString()));
        return ackAll(group);
      },
      { isAvailable: () => Promise.resolve(!away) },
    );
    const channel = await admin.createChannel();
    await until('all wait in the queue, without a consumer', async () => {
      const { messageCount, consumerCount } = await channel.checkQueue(topology.queue);
      return messageCount === 5 && consumerCount === 0;
    });
    await channel.close();
    away = false;
    await until('all are handled', () => handled.length === 5);
    await until('nothing is left', () => isEmpty(broker, topology.queue));
  });

  it('does not take messages ahead without bound when they grow', async () => {
    const topology = makeTopology();
    const broker = await open([vhost.url], topology);
    const gate = latch();
    let blocked = false;
    const sizes: number[] = [];
    let mostRedeliveries = 0;
    await publishAll(broker, topology.queue, numbers(100));
    const consumption = await consume(
      broker,
      topology.queue,
      async (group) => {
        mostRedeliveries = Math.max(mostRedeliveries, ...group.map(({ redeliveries }) => redeliveries));
        if (group.some(({ body }) => body.length > 1_000)) {
          blocked = true;
          await gate.promise;
        }
        sizes.push(...group.map(({ body }) => body.length));
        return group.map(() => ACK);
      },
      { maxGroupBytes: 20_000, maxGroupMessages: 50 },
    );
    await until('the small ones are handled', () => sizes.length === 100);
    const large = Buffer.alloc(10_000);
    await Promise.all(numbers(60).map(() => broker.publish(message(topology.queue, large))));
    await until('one group is in hand', () => blocked);
    await until('all are counted', async () => (await broker.depth(topology.queue)).messages === 60);
    // Two groups of 20,000 bytes are the budget, and twice of it the bound.
    expect((consumption as RabbitConsumption)['consumer'].waitingBytes).toBeLessThanOrEqual(80_000);
    gate.open();
    await until('all are handled', () => sizes.length === 160);
    expect(mostRedeliveries).toBeLessThanOrEqual(2);
    await until('nothing is left', () => isEmpty(broker, topology.queue));
    await consumption.stop(1_000);
  });
});
