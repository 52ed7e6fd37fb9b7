import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/** SQLite's tables are STRICT, so that both engines refuse what is of the wrong type. */
const TYPES = {
  sqlite: { id: 'text', text: 'text', bytes: 'blob', int: 'integer', big: 'integer', flag: 'integer', counter: 'integer primary key' },
  postgres: {
    id: 'uuid',
    text: 'text',
    bytes: 'bytea',
    int: 'integer',
    big: 'bigint',
    flag: 'smallint',
    counter: 'bigint generated always as identity primary key',
  },
} as const satisfies Record<Engine, Record<string, string>>;

type Type = keyof (typeof TYPES)['sqlite'];
/** A type; with `?` null is allowed. */
type Column = Type | `${Type}?`;

interface Table {
  name: string;
  columns: Record<string, Column>;
  primaryKey?: string[];
  /** PostgreSQL: by range on the id, by week (src/storage/postgres/partitions.ts). */
  partitioned?: boolean;
  /** SQLite: rows lie in the primary key's tree. Good for short rows only. */
  withoutRowid?: boolean;
}

const SUMS = {
  accepted: 'big',
  delivered: 'big',
  filtered: 'big',
  duplicate: 'big',
  dead: 'big',
  cancelled: 'big',
  pending: 'big',
  door_confirmed: 'big',
  door_dispatched: 'big',
} as const;

const TABLES: readonly Table[] = [
  { name: 'accounts', columns: { id: 'text', name: 'text', created_at: 'big' }, primaryKey: ['id'] },
  {
    name: 'account_identities',
    columns: { channel: 'text', external_id: 'text', account_id: 'text', created_at: 'big' },
    primaryKey: ['channel', 'external_id'],
  },
  {
    name: 'api_keys',
    columns: { id: 'id', account_id: 'text?', name: 'text', prefix: 'text', hash: 'text', created_at: 'big', revoked_at: 'big?' },
    primaryKey: ['id'],
  },
  {
    name: 'endpoints',
    columns: {
      id: 'id',
      account_id: 'text',
      name: 'text',
      type: 'text',
      url: 'text',
      description: 'text',
      headers: 'text',
      auth: 'text?',
      enabled: 'flag',
      disabled_reason: 'text?',
      timeout_ms: 'int?',
      max_in_flight: 'int?',
      rate_per_second: 'int?',
      retry_schedule: 'text?',
      properties: 'text',
      secret: 'text',
      previous_secret: 'text?',
      previous_secret_until: 'big?',
      failing_since: 'big?',
      created_at: 'big',
      updated_at: 'big',
    },
    primaryKey: ['id'],
  },
  {
    name: 'filters',
    columns: {
      id: 'id',
      account_id: 'text',
      name: 'text',
      enabled: 'flag',
      applications: 'text',
      event_types: 'text',
      levels: 'text',
      endpoint_ids: 'text',
      created_at: 'big',
      updated_at: 'big',
    },
    primaryKey: ['id'],
  },
  { name: 'registry_version', columns: { id: 'int', version: 'big' }, primaryKey: ['id'] },
  {
    name: 'events',
    columns: {
      id: 'id',
      account_id: 'text',
      source: 'text',
      application: 'text',
      event_type: 'text',
      level: 'text?',
      timestamp: 'text',
      received_at: 'big',
      request_id: 'text',
      context: 'bytes?',
      body: 'bytes',
      content_type: 'text',
      data: 'bytes?',
      data_start: 'int',
      data_end: 'int',
      fan_out: 'int',
      filtered_reason: 'text?',
    },
    primaryKey: ['id'],
    partitioned: true,
  },
  {
    name: 'event_keys',
    columns: { key: 'text', event_id: 'id', request_id: 'text', created_at: 'big' },
    primaryKey: ['key'],
    withoutRowid: true,
  },
  {
    name: 'deliveries',
    columns: {
      id: 'id',
      event_id: 'id',
      endpoint_id: 'id',
      account_id: 'text',
      source: 'text',
      status: 'text',
      attempt_count: 'int',
      next_attempt_at: 'big?',
      leased_by: 'id?',
      lease_until: 'big?',
      fan_out: 'int',
      reason: 'text?',
      dead_class: 'text?',
      created_at: 'big',
      settled_at: 'big?',
    },
    primaryKey: ['id'],
    partitioned: true,
    withoutRowid: true,
  },
  {
    name: 'attempts',
    columns: {
      id: 'id',
      delivery_id: 'id',
      event_id: 'id',
      number: 'int',
      at: 'big',
      status: 'text',
      code: 'text',
      duration_ms: 'int',
      address: 'text?',
      response_head: 'bytes?',
    },
    primaryKey: ['id'],
    partitioned: true,
  },
  {
    name: 'requests',
    columns: {
      id: 'id',
      at: 'big',
      source: 'text',
      outcome: 'text',
      status: 'int',
      code: 'text',
      detail: 'text',
      method: 'text',
      path: 'text',
      address: 'text',
      headers: 'text',
      body: 'bytes?',
      body_bytes: 'big',
      request_id: 'text',
    },
    primaryKey: ['id'],
    partitioned: true,
  },
  { name: 'ledger_deltas', columns: { id: 'counter', source: 'text', ...SUMS } },
  { name: 'ledger_totals', columns: { source: 'text', ...SUMS }, primaryKey: ['source'] },
  {
    name: 'idempotency_keys',
    columns: { account_id: 'text', key: 'text', body_hash: 'text', response: 'text', created_at: 'big' },
    primaryKey: ['account_id', 'key'],
  },
  { name: 'meta', columns: { key: 'text', value: 'text' }, primaryKey: ['key'] },
];

/**
 * Few on the hot tables: each costs on every event. The predicates follow from the comparisons in the queries
 * (`next_attempt_at <= ?`), so both engines use them although the values are bound.
 */
const INDEXES: readonly string[] = [
  'unique index api_keys_by_hash on api_keys (hash)',
  'index endpoints_by_account on endpoints (account_id, id)',
  'index filters_by_account on filters (account_id, id)',
  'index events_by_account on events (account_id, id)',
  'index events_by_type on events (application, event_type, id)',
  'index event_keys_by_age on event_keys (created_at)',
  'index deliveries_due on deliveries (endpoint_id, next_attempt_at) where leased_by is null and next_attempt_at is not null',
  'index deliveries_leased on deliveries (lease_until) where lease_until is not null',
  // The oldest delivery that is still owed, at every scrape.
  'index deliveries_open on deliveries (created_at) where next_attempt_at is not null',
  'index attempts_by_delivery on attempts (delivery_id)',
  'index attempts_by_event on attempts (event_id)',
  'index requests_by_time on requests (at)',
  'index idempotency_keys_by_age on idempotency_keys (created_at)',
];

export async function firstTables(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  for (const table of TABLES) {
    await sql.raw(createTable(table, engine)).execute(trx);
    if (engine === 'postgres' && table.partitioned) {
      // Takes rows of weeks that have no partition yet: an insert never fails for the want of one.
      await sql.raw(`create table ${table.name}_other partition of ${table.name} default`).execute(trx);
    }
  }
  for (const index of INDEXES) await sql.raw(`create ${index}`).execute(trx);
  await trx.insertInto('accounts').values({ id: 'default', name: 'default', created_at: Date.now() }).execute();
  await trx.insertInto('registry_version').values({ id: 1, version: 1 }).execute();
}

function createTable(table: Table, engine: Engine): string {
  const columns = Object.entries(table.columns).map(([name, column]) => `"${name}" ${columnType(column, engine)}`);
  if (table.primaryKey) columns.push(`primary key (${table.primaryKey.map((name) => `"${name}"`).join(', ')})`);
  return `create table ${table.name} (${columns.join(', ')})${options(table, engine)}`;
}

function columnType(column: Column, engine: Engine): string {
  const nullable = column.endsWith('?');
  const type = TYPES[engine][(nullable ? column.slice(0, -1) : column) as Type];
  return nullable || column === 'counter' ? type : `${type} not null`;
}

function options(table: Table, engine: Engine): string {
  if (engine === 'postgres') return table.partitioned ? ' partition by range (id)' : '';
  return table.withoutRowid ? ' strict, without rowid' : ' strict';
}
