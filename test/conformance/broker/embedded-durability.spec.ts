import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { EmbeddedBroker } from '../../../src/broker/embedded/embedded-broker';
import { killChildren, startChild } from './children';
import { makeTopology, message, QUICK, silence, takeAll, until } from './harness';

const FULL = 2;

interface Confirmed {
  id: string;
  synchronous: number;
  journalMode: string;
  /** Rows changed by the connection that commits with an fsync, when this was confirmed. */
  rows: number;
}

/**
 * That a confirmed message is on the disk. Whether the system was told to flush cannot be seen from outside without its
 * tracing tools, so this holds the two halves: SQLite flushes in every commit of a connection with `synchronous` FULL; and each
 * confirm comes after such a commit of its own message.
 */
describe('the embedded broker’s confirm', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    silence();
    folder = await mkdtemp(join(tmpdir(), 'hookline-durable-'));
    path = join(folder, 'broker.db');
  });
  afterEach(async () => {
    await killChildren();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([1, 40])('comes after the flushed commit (%i at once)', async (count) => {
    const topology = makeTopology();
    const child = startChild('durability-child.ts', [path, JSON.stringify(topology), topology.queue, String(count)]);
    await child.wrote(count);
    const confirmed = child.lines.map((line) => JSON.parse(line) as Confirmed);

    // The child stands still inside its last confirm. Another process sees committed messages only.
    const reader = new DatabaseSync(path, { readOnly: true });
    const stored = (reader.prepare('select meta from messages').all() as { meta: string }[]).map(
      ({ meta }) => (JSON.parse(meta) as string[])[0],
    );
    reader.close();
    expect(confirmed.map(({ id }) => id).filter((id) => !stored.includes(id))).toEqual([]);
    for (const { synchronous, journalMode, rows } of confirmed) {
      expect({ synchronous, journalMode }).toEqual({ synchronous: FULL, journalMode: 'wal' });
      // The rows were written by that connection, not by the one that does not wait for the disk.
      expect(rows).toBeGreaterThanOrEqual(1);
    }
    expect(confirmed.at(-1)?.rows).toBeGreaterThanOrEqual(count);

    await child.kill();
    const broker = new EmbeddedBroker(path, topology, QUICK);
    expect(await takeAll(broker, topology.queue, count)).toHaveLength(count);
    await broker.close();
  });

  it('does not come when the disk is full; the broker says so and recovers by itself', async () => {
    const topology = makeTopology();
    const broker = new EmbeddedBroker(path, topology, QUICK);
    const limit = (pages: number): void => {
      broker.limitPages(pages);
    };
    await broker.publish(message(topology.queue, 'kept'));
    limit(1);
    const large = Buffer.alloc(1024 * 1024);
    await expect(broker.publish(message(topology.queue, large))).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(broker.status().ready).toBe(false);
    limit(1_000_000);
    await until('it is ready again', () => broker.status().ready);
    await broker.publish(message(topology.queue, 'kept too'));
    expect((await takeAll(broker, topology.queue, 2)).map(({ body }) => body.toString())).toEqual(['kept', 'kept too']);
    expect(await broker.depth(topology.queue)).toMatchObject({ messages: 0 });
    await broker.close();
  });
});
