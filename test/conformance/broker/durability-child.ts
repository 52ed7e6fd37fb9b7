import { writeSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { EmbeddedBroker } from '../../../src/broker/embedded/embedded-broker';
import type { Topology } from '../../../src/broker/topology';
import { message } from './harness';

/**
 * Publishes, and at the instant of each confirm tells what was confirmed and how the connection that wrote it writes. At the
 * last one it stands still for good, within that very instant: what is not on its way by then never will be.
 */
function publishAndFreeze(path: string, topology: Topology, queue: string, count: number): void {
  const broker = new EmbeddedBroker(path, topology);
  const before = broker.durability();
  let confirmed = 0;
  for (let index = 0; index < count; index += 1) {
    void broker.publish(message(queue, `body ${index}`, { id: `id-${index}` })).then(() => {
      confirmed += 1;
      const { synchronous, journalMode, changes } = broker.durability();
      writeSync(1, `${JSON.stringify({ id: `id-${index}`, synchronous, journalMode, rows: changes - before.changes })}\n`);
      if (confirmed < count) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });
  }
}

Logger.overrideLogger(false);
const [path = '', topology = '', queue = '', count = '1'] = process.argv.slice(2);
publishAndFreeze(path, JSON.parse(topology) as Topology, queue, Number(count));
