import type { Topology } from '../../../src/broker/topology';
import type { Tuning } from '../../../src/broker/group-consumer';
import { RabbitMqBroker } from '../../../src/broker/rabbitmq/rabbitmq-broker';
import { acquireVhost } from '../../support/services/services';
import { consumeSuite } from './consume-suite';
import { crashSuite } from './crash-suite';
import { type BrokerHarness, silence } from './harness';
import { RABBIT_OPTIONS } from './open-broker';
import { publishSuite } from './publish-suite';

describe('RabbitMQ', () => {
  let harness: BrokerHarness;

  beforeAll(async () => {
    silence();
    const vhost = await acquireVhost();
    harness = {
      target: vhost.url,
      open: (topology: Topology, tuning?: Partial<Tuning>) =>
        RabbitMqBroker.start({ ...RABBIT_OPTIONS, servers: [vhost.url] }, topology, tuning),
      crash: async (broker) => {
        (broker as RabbitMqBroker)['consuming'].drop('the test lets it crash');
        await broker.close();
      },
      release: () => vhost.release(),
    };
  });
  afterAll(() => harness.release());

  publishSuite(() => harness);
  consumeSuite(() => harness);
  crashSuite(() => harness);
});
