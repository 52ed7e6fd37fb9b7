import { CompiledQuery } from 'kysely';
import { arrayParameter } from '../storage/postgres/array-parameter';
import { isUniqueViolation } from '../storage/postgres/postgres-errors';
import type { Schema } from '../storage/schema';
import type { Storage } from '../storage/storage';
import type { DispatchPlan } from './dispatch-plan';
import { LEDGER_COLUMNS, type LedgerTally } from './ledger-delta';
import type { Outbound } from './outbound';

/** Columns that are alike in all deliveries of a group are no arrays. Keys come in their order, as in `insertNewKeys`. */
const STATEMENT = `
  with keys as (
    insert into event_keys (key, event_id, request_id, created_at)
    select key, event_id, request_id, $1::int8 from unnest($2::text[], $3::uuid[], $4::text[]) as k(key, event_id, request_id)
  ), stored as (
    insert into events (id, account_id, source, application, event_type, level, timestamp, received_at, request_id, context, body,
      content_type, data, data_start, data_end, fan_out, filtered_reason)
    select * from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int8[], $13::text[],
      $14::bytea[], $15::bytea[], $16::text[], $17::bytea[], $18::int4[], $19::int4[], $20::int4[], $21::text[])
  ), owed as (
    insert into deliveries (id, event_id, endpoint_id, account_id, source, status, attempt_count, next_attempt_at, leased_by, lease_until,
      fan_out, created_at)
    select id, event_id, endpoint_id, account_id, source, 'pending', 0, $1::int8, leased_by, lease_until, fan_out, $1::int8
    from unnest($22::uuid[], $23::uuid[], $24::uuid[], $25::text[], $26::text[], $27::uuid[], $28::int8[], $29::int4[])
      as d(id, event_id, endpoint_id, account_id, source, leased_by, lease_until, fan_out)
  )
  insert into ledger_deltas (source, ${LEDGER_COLUMNS.join(', ')})
  select * from unnest($30::text[], ${LEDGER_COLUMNS.map((_, index) => `$${31 + index}::int8[]`).join(', ')})`;

const EVENT_COLUMNS = [
  ['id', 'uuid'],
  ['account_id', 'text'],
  ['source', 'text'],
  ['application', 'text'],
  ['event_type', 'text'],
  ['level', 'text'],
  ['timestamp', 'text'],
  ['received_at', 'int8'],
  ['request_id', 'text'],
  ['context', 'bytea'],
  ['body', 'bytea'],
  ['content_type', 'text'],
  ['data', 'bytea'],
  ['data_start', 'int4'],
  ['data_end', 'int4'],
  ['fan_out', 'int4'],
  ['filtered_reason', 'text'],
] as const satisfies (readonly [keyof Schema['events'], string])[];

const DELIVERY_COLUMNS = [
  ['id', 'uuid'],
  ['event_id', 'uuid'],
  ['endpoint_id', 'uuid'],
  ['account_id', 'text'],
  ['source', 'text'],
  ['leased_by', 'uuid'],
  ['lease_until', 'int8'],
  ['fan_out', 'int4'],
] as const satisfies (readonly [keyof Schema['deliveries'], string])[];

/** How long no group goes at once after one that held a duplicate: where there is one there are more, and each costs a statement. */
const PAUSE_MS = 5_000;

/**
 * Stores a group with all that follows from it in one statement, and so in one trip, as long as no event of it was seen before: a key
 * that is there makes the whole statement fail, and the group goes by the transaction that looks its keys up.
 */
export class DispatchAtOnce {
  private pausedUntil = 0;

  constructor(private readonly storage: Storage) {}

  /** Every request brings an event that no other of the group brings, so each counts as seen for the first time if its keys are new. */
  fits({ requests, owners }: DispatchPlan, nowMs: number): boolean {
    if (this.storage.engine !== 'postgres' || nowMs < this.pausedUntil) return false;
    let events = 0;
    for (const request of requests) {
      if (request.events.length === 0) return false;
      events += request.events.length;
    }
    return events > 0 && events === owners.size;
  }

  /** @returns false when an event was seen before; nothing is stored then. */
  async store(plan: DispatchPlan, outbound: Outbound, tally: LedgerTally, nowMs: number): Promise<boolean> {
    const { keyRows } = plan;
    const { events, deliveries } = outbound;
    const ledger = tally.rows();
    const parameters = [
      nowMs,
      arrayParameter('text', column(keyRows, 'key')),
      arrayParameter('uuid', column(keyRows, 'event_id')),
      arrayParameter('text', column(keyRows, 'request_id')),
      ...EVENT_COLUMNS.map(([name, type]) => arrayParameter(type, column(events, name))),
      ...DELIVERY_COLUMNS.map(([name, type]) => arrayParameter(type, column(deliveries, name))),
      arrayParameter('text', column(ledger, 'source')),
      ...LEDGER_COLUMNS.map((name) => arrayParameter('int8', column(ledger, name))),
    ];
    try {
      await this.storage.execute(CompiledQuery.raw(STATEMENT, parameters));
      return true;
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      this.pausedUntil = nowMs + PAUSE_MS;
      return false;
    }
  }
}

const column = <R extends object, K extends keyof R>(rows: readonly R[], name: K): R[K][] => rows.map((row) => row[name]);
