import { RabbitMqBroker } from '../../../src/broker/rabbitmq/rabbitmq-broker';
import { startPrivateRabbitMq } from '../../support/services/services';
import { ackAll, consume, latch, makeTopology, message, publishAll, QUICK, silence, textsOf, until } from './harness';
import { RABBIT_OPTIONS } from './open-broker';

describe('RabbitMQ that dies', () => {
  let node: Awaited<ReturnType<typeof startPrivateRabbitMq>>;

  beforeAll(async () => {
    silence();
    node = await startPrivateRabbitMq();
  }, 120_000);
  afterAll(() => node.remove());

  it('loses nothing that was confirmed; publishes and consumers come back by themselves', async () => {
    const topology = makeTopology();
    const broker = await RabbitMqBroker.start({ ...RABBIT_OPTIONS, servers: [node.url] }, topology, QUICK);
    const handled = new Set<string>();
    await consume(broker, topology.queue, (group) => (group.forEach(({ id }) => handled.add(id)), ackAll(group)), { concurrency: 2 });
    const confirmed: string[] = [];
    let next = 0;
    let publishing = true;
    const publisher = async (): Promise<void> => {
      while (publishing) {
        const id = `id-${next++}`;
        await broker.publish(message(topology.queue, 'x', { id })).then(
          () => confirmed.push(id),
          () => new Promise((resolve) => setImmediate(resolve)),
        );
      }
    };
    const publishers = [publisher(), publisher(), publisher(), publisher()];
    // First in order, which also lets RabbitMQ put its list of queues on the disk: a node that dies within a second of
    // declaring a quorum queue does not find it again (3.10).
    for (const end of ['stop', 'kill'] as const) {
      await until('some are confirmed', () => confirmed.length > 200);
      await node[end]();
      await until('it is not ready', () => !broker.status().ready);
      const before = confirmed.length;
      await node.start();
      await until('more are confirmed', () => confirmed.length > before + 200, 60_000);
    }
    publishing = false;
    await Promise.all(publishers);
    await until('all that was confirmed is handled', () => confirmed.every((id) => handled.has(id)), 60_000);
    await broker.close();
  }, 180_000);

  it('refuses at once while RabbitMQ has an alarm, goes on consuming, and recovers by itself', async () => {
    const topology = makeTopology();
    const broker = await RabbitMqBroker.start({ ...RABBIT_OPTIONS, servers: [node.url] }, topology, QUICK);
    const gate = latch();
    const handled: string[] = [];
    await publishAll(broker, topology.queue, ['waiting']);
    await consume(broker, topology.queue, async (group) => {
      await gate.promise;
      handled.push(...textsOf(group));
      return ackAll(group);
    });
    const publish = (): Promise<string> =>
      broker.publish(message(topology.queue, 'probe')).then(
        () => 'stored',
        (error: Error) => error.message,
      );
    await node.control('set_vm_memory_high_watermark', '0.00001');
    await until('publishing is refused at once', async () => (await publish()).includes('takes no messages'), 60_000);
    expect(broker.status()).toMatchObject({ ready: false });
    gate.open();
    await until('what was there is handled', () => handled.includes('waiting'));
    await node.control('set_vm_memory_high_watermark', 'absolute', '1GiB');
    await until('it stores again', async () => (await publish()) === 'stored', 60_000);
    expect(broker.status()).toEqual({ ready: true });
    await broker.close();
  }, 180_000);
});
