import { Logger } from '@nestjs/common';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { RegistryService } from '../src/dispatcher/registry/registry.service';
import { RegistrySnapshot } from '../src/dispatcher/registry/snapshot';
import { PostgresStorage } from '../src/storage/postgres/postgres-storage';
import { RegistryVersion } from '../src/storage/registry-version';
import { endpointRow, type FilterRow, type FilterWishes, filterRow } from '../test/support/registry-rows';
import { testBox } from '../test/support/secret-box';
import { acquireDatabase } from '../test/support/services/services';
import { type Bench, type BenchContext, type FigureLine, figureLine } from './bench';
import { Figure } from './figures';

const MANY = 100_000;
const FEW = 100;
/** Filters that share account, application and event type. */
const SHARED = 100;
const EVENTS = 20_000;
const STALL_LIMIT_MS = 50;

/** What matching an event costs among many filters, and how long a change of one of them keeps everything else waiting. */
export const match: Bench = { names: ['match', 'match-where', 'registry-change'], run };

const endpoint = endpointRow();

/** Of 1 KiB each. */
const MESSAGES = Array.from({ length: 100 }, (_, index) => {
  const host = { id: `host-${(index % 5) * 20 + 5}`, os: index % 2 === 0 ? 'rhel' : 'debian', cpus: index, tags: ['a', 'b', 'c'] };
  return Buffer.from(JSON.stringify({ host, text: 'x'.repeat(900) }));
});

/** One in ten of those that an event meets matches it; the others want a level. */
const filtersOf = (count: number): FilterRow[] => Array.from({ length: count }, (_, index) => filterRow(wishesOf(index)));

const wishesOf = (index: number): FilterWishes => ({
  applications: ['app'],
  eventTypes: [`type-${Math.floor(index / SHARED)}`],
  levels: index % 10 === 0 ? [] : [`level-${index % SHARED}`],
  endpoints: [endpoint],
});

/**
 * Another one in ten has conditions: an event meets five of one half, and all of the other half,
 * which are for any type, and of which each wants one host.
 */
const withConditions = (count: number): FilterRow[] =>
  Array.from({ length: count }, (_, index) => {
    if (index % 10 !== 5) return filterRow(wishesOf(index));
    const isOfAnyType = index % 20 === 5;
    const where = isOfAnyType
      ? { 'message.host.id': `host-${index}`, 'message.host.cpus': { $lt: 1_000 } }
      : {
          'message.host.os': { $in: ['rhel', 'fedora'] },
          'message.host.cpus': { $gte: index % 50 },
          'message.host.tags[*]': { $startsWith: 'b' },
        };
    return filterRow({ ...wishesOf(index), levels: [], where, ...(isOfAnyType && { eventTypes: [] }) });
  });

async function run({ rounds, scale }: BenchContext): Promise<FigureLine[]> {
  const many = Math.max(FEW, Math.round(MANY * scale));
  const figures = [matching('match', filtersOf, many, rounds), matching('match-where', withConditions, many, rounds)];
  return [...figures, figureLine('registry-change', 'ms', await longestStall(many), STALL_LIMIT_MS)];
}

function matching(name: string, filtersOf: (count: number) => FilterRow[], many: number, rounds: number): FigureLine {
  const figure = new Figure(name, 'ns/event');
  const sides = [many, FEW].map((count) => ({ count, registry: new RegistrySnapshot({ ...empty, filters: filtersOf(count) }, testBox) }));
  // The first time is the compiler's.
  for (let round = -1; round < Math.max(5, rounds); round++) {
    for (const { count, registry } of sides) {
      const nsEach = matched(registry, count / SHARED);
      if (round >= 0) figure.add(count === FEW && many !== FEW ? 'limit' : 'value', nsEach);
      if (round >= 0 && many === FEW) figure.add('limit', nsEach);
    }
  }
  return figure.line();
}

const empty = { endpoints: [endpoint], identities: [] };

/** @returns nanoseconds an event. */
function matched(registry: RegistrySnapshot, types: number): number {
  const events = Array.from({ length: EVENTS }, (_, index) => ({
    accountId: 'default',
    application: 'app',
    eventType: `type-${(index * 7_919) % types}`,
    level: null,
    timestamp: '2026-11-22T09:30:00Z',
    context: null,
    data: MESSAGES[index % MESSAGES.length] as Buffer,
  }));
  const started = process.hrtime.bigint();
  for (const event of events) if (registry.match(event).endpoints.length !== 1) throw new Error('An event did not match.');
  return Number(process.hrtime.bigint() - started) / EVENTS;
}

/** Milliseconds for which nothing else ran while a process took over a change of one filter. */
async function longestStall(filters: number): Promise<number> {
  Logger.overrideLogger(['error']);
  const database = await acquireDatabase();
  const storage = await PostgresStorage.open({ url: database.url, poolSize: 5, preparedStatements: true });
  try {
    const rows = filtersOf(filters);
    await storage.insertMany(storage.db, 'endpoints', [endpoint]);
    for (let start = 0; start < rows.length; start += 5_000) {
      await storage.insertMany(storage.db, 'filters', rows.slice(start, start + 5_000));
    }
    const registry = new RegistryService(storage, new RegistryVersion(storage), testBox);
    await registry.load();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    for (const row of rows.slice(0, 20)) {
      await storage.db.updateTable('filters').set({ name: 'changed' }).where('id', '=', row.id).execute();
      await registry.load();
    }
    delay.disable();
    return delay.max / 1e6;
  } finally {
    await storage.close();
    await database.release();
  }
}
