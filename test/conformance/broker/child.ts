import { writeSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import type { Topology } from '../../../src/broker/topology';
import { openBroker } from './open-broker';

/** Takes messages and never answers: it is killed while it has them in hand. One line for each that it was handed. */
async function holdMessages(target: string, topology: Topology, queue: string): Promise<void> {
  const broker = await openBroker(target, topology);
  await broker.consume({
    queue,
    concurrency: 10,
    handle: (group) => {
      for (const { body } of group) writeSync(1, `${body.toString()}\n`);
      return new Promise(() => undefined);
    },
    isAvailable: () => Promise.resolve(true),
  });
  setInterval(() => undefined, 60_000);
}

Logger.overrideLogger(false);
const [target = '', topology = '', queue = ''] = process.argv.slice(2);
void holdMessages(target, JSON.parse(topology) as Topology, queue);
