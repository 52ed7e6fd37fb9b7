import { Client } from 'pg';
import { Gateway } from '../test/support/gateway';
import { acquireDatabase, acquireVhost } from '../test/support/services/services';
import type { Bench, BenchContext, FigureLine } from './bench';
import { Child } from './child';
import { Figure } from './figures';
import { load } from './pipeline';
import type { SinkResult } from './sink';
import { GATEWAY_ENV, type Subject } from './subject';

const WAITING = 1_000_000;
const COUNT = 5_000;
const LIMIT_MS = 120_000;

/** What a new event costs from its request to its delivery while very many wait for their next attempt, and while none does. */
export const backlog: Bench = { names: ['backlog'], run };

/** Deliveries that failed once and are due within the next day, with their events and what the ledger says of them. */
const SEED = [
  `insert into events (id, account_id, source, application, event_type, timestamp, received_at, request_id, body, content_type, data_start,
     data_end, fan_out)
   select id, 'default', 'facebook', 'facebook', 'message', '2026-01-01T00:00:00.000Z', 1, id::text, '{}', 'application/json', 0, 2, 1
   from waiting`,
  `insert into deliveries (id, event_id, endpoint_id, account_id, source, status, attempt_count, next_attempt_at, fan_out, created_at)
   select id, id, endpoint_id, 'default', 'facebook', 'waiting', 1, due_at, 1, made_at from waiting`,
  `insert into ledger_deltas
     (source, accepted, delivered, filtered, duplicate, dead, cancelled, pending, door_confirmed, door_dispatched)
   select 'facebook', count(*), 0, 0, 0, 0, 0, count(*), count(*), count(*) from waiting`,
  'drop table waiting',
];

/** Ids of the last hours: they lie in the same partitions as those of new events. */
const WAITING_ROWS = `
  create table waiting as
  select (substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id, $1::uuid as endpoint_id,
    made_at, made_at + 86400000 as due_at
  from (select n, made_at, lpad(to_hex(made_at), 12, '0') as hex
        from (select n, (extract(epoch from now()) * 1000)::int8 - n as made_at from generate_series(1, $2::int4) n) numbered) dated`;

async function run({ rounds, scale }: BenchContext): Promise<FigureLine[]> {
  const figure = new Figure('backlog', 'µs/event');
  const count = Math.round(COUNT * scale);
  const { child: sink, reply } = await Child.start<{ port: number }>('sink', { kind: 'listen' });
  const subjects: Subject[] = [];
  try {
    const url = `http://127.0.0.1:${reply.port}/hooks`;
    subjects.push(await startSubject('value', url, Math.round(WAITING * scale)), await startSubject('limit', url, 0));
    const ports = await Promise.all(subjects.map((subject) => subject.start({ accept: true, process: true })));
    for (let round = 0; round <= rounds; round++) {
      for (const [index, subject] of subjects.entries()) {
        await sink.ask({ kind: 'reset' });
        const { startedAt } = await load(subject, ports[index] ?? 0, count);
        const { count: received, lastAt } = await sink.ask<SinkResult>({ kind: 'expect', count, limitMs: LIMIT_MS });
        if (received < count) throw new Error(`Only ${received} of ${count} deliveries came.`);
        // The first time warms up.
        if (round > 0) figure.add(subject.kind, ((lastAt - startedAt) / count) * 1_000);
      }
    }
    return [figure.line()];
  } finally {
    for (const subject of subjects) await subject.remove();
    await sink.stop();
  }
}

async function startSubject(kind: Subject['kind'], sinkUrl: string, waiting: number): Promise<Subject> {
  const [vhost, database] = await Promise.all([acquireVhost(), acquireDatabase()]);
  const gateway = await Gateway.ready({ rabbitMqUrl: vhost.url, databaseUrl: database.url, env: GATEWAY_ENV });
  const { id } = await gateway.subscribe(sinkUrl);
  await gateway.terminate();
  await seed(database.url, id, waiting);
  return {
    kind,
    path: '/facebook',
    get pid() {
      return gateway.pid;
    },
    start: async () => {
      gateway.start();
      await gateway.becomesReady();
      return gateway.port;
    },
    stop: async () => {
      await gateway.terminate();
    },
    remove: async () => {
      await gateway.remove();
      await Promise.all([vhost.release(), database.release()]);
    },
  };
}

async function seed(url: string, endpointId: string, waiting: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    if (waiting > 0) {
      await client.query(WAITING_ROWS, [endpointId, waiting]);
      for (const statement of SEED) await client.query(statement);
    }
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}
