import type { Broker } from '../../../src/broker/broker';
import { EmbeddedBroker } from '../../../src/broker/embedded/embedded-broker';
import type { Tuning } from '../../../src/broker/group-consumer';
import type { RabbitOptions } from '../../../src/broker/rabbitmq/rabbit-connection';
import { RabbitMqBroker } from '../../../src/broker/rabbitmq/rabbitmq-broker';
import type { Topology } from '../../../src/broker/topology';

export const RABBIT_OPTIONS: Omit<RabbitOptions, 'servers'> = {
  publishTimeoutMs: 5_000,
  connectTimeoutMs: 5_000,
  reconnectMs: 1_000,
  heartbeatMs: 5_000,
  watchIntervalMs: 15_000,
  bootWaitMs: 10_000,
};

/** Opens the broker at a target: an amqp URL, or the path of a file. */
export const openBroker = (target: string, topology: Topology, tuning: Partial<Tuning> = {}): Promise<Broker> =>
  target.startsWith('amqp:')
    ? RabbitMqBroker.start({ ...RABBIT_OPTIONS, servers: [target] }, topology, tuning)
    : Promise.resolve(new EmbeddedBroker(target, topology, tuning));
