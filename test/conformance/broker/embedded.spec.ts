import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedBroker } from '../../../src/broker/embedded/embedded-broker';
import { consumeSuite } from './consume-suite';
import { crashSuite } from './crash-suite';
import { type BrokerHarness, silence } from './harness';
import { publishSuite } from './publish-suite';

describe('the embedded broker', () => {
  let harness: BrokerHarness;

  beforeAll(async () => {
    silence();
    const folder = await mkdtemp(join(tmpdir(), 'hookline-broker-'));
    const target = join(folder, 'broker.db');
    harness = {
      target,
      open: (topology, tuning) => Promise.resolve(new EmbeddedBroker(target, topology, tuning)),
      // It closes without settling anything.
      crash: (broker) => broker.close(),
      release: () => rm(folder, { recursive: true, force: true }),
    };
  });
  afterAll(() => harness.release());

  publishSuite(() => harness);
  consumeSuite(() => harness);
  crashSuite(() => harness);
});
