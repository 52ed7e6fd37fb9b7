import { CompiledQuery } from 'kysely';
import { BOOT_ID } from '../../core/ids';
import { arrayParameter } from '../../storage/postgres/array-parameter';
import type { Storage } from '../../storage/storage';
import { LedgerTally, recordDelta } from '../ledger-delta';
import { type Outcome, attemptRow, columnsOf } from './outcome';
import { settle } from './settle-statement';

/**
 * Everything that follows from the results, in one statement and so in one trip. The row's own `fan_out` guards it: an event that has
 * got a second delivery meanwhile is to be looked at as a whole. By `id = any` PostgreSQL goes by the primary key, whatever it believes
 * about the table's size. The ids come back only where some are missing.
 */
const ON_POSTGRES = `
  with settled as (
    update deliveries d
    set status = s.status, attempt_count = s.expected + (s.at is not null)::int4, next_attempt_at = s.next_attempt_at,
      leased_by = null, lease_until = null, reason = s.reason, dead_class = null,
      settled_at = case when s.next_attempt_at is null then $12::int8 end
    from unnest($1::uuid[], $2::int4[], $3::text[], $4::int8[], $5::text[], $6::int8[], $7::text[], $8::int4[], $9::text[], $10::bytea[])
      as s(id, expected, status, next_attempt_at, reason, at, code, duration_ms, address, response_head)
    where d.id = any($1::uuid[]) and d.id = s.id and d.attempt_count = s.expected and d.leased_by = $11 and d.fan_out <= 1
    returning d.id, d.source, d.status, d.attempt_count, s.at, s.code, s.duration_ms, s.address, s.response_head
  ), attempted as (
    insert into attempts (delivery_id, number, at, status, code, duration_ms, address, response_head)
    select id, attempt_count, at, case status when 'delivered' then 'succeeded' else 'failed' end, code, duration_ms, address, response_head
    from settled where at is not null
  ), booked as (
    insert into ledger_deltas
      (source, accepted, delivered, filtered, duplicate, dead, cancelled, pending, door_confirmed, door_dispatched)
    select source, 0, count(*) filter (where status = 'delivered'), 0, 0, 0, count(*) filter (where status = 'cancelled'), -count(*), 0, 0
    from settled where status <> 'waiting' group by source
  )
  select case when count(*) < cardinality($1::uuid[]) then coalesce(array_agg(id::text), '{}') end as ids from settled`;

/** Only the delivery itself changes, and nobody is told of it: its event has no other, and it is not given up. */
export const isSingle = ({ delivery, verdict }: Outcome): boolean => delivery.fanOut <= 1 && verdict.kind !== 'dead';

/**
 * Writes results of deliveries that are all single, fenced: what this boot lost meanwhile stays as it is, and so does what is no longer
 * single.
 * @returns the ids of those that were written.
 */
export async function settleSingles(storage: Storage, outcomes: readonly Outcome[]): Promise<Set<string>> {
  return storage.engine === 'postgres' ? inOneStatement(storage, outcomes) : inOneTransaction(storage, outcomes);
}

async function inOneStatement(storage: Storage, outcomes: readonly Outcome[]): Promise<Set<string>> {
  const nowMs = Date.now();
  const rows = outcomes.map((outcome) => columnsOf(outcome, nowMs));
  const results = outcomes.map(({ result }) => result);
  const parameters = [
    arrayParameter(
      'uuid',
      rows.map((row) => row.id),
    ),
    arrayParameter(
      'int4',
      rows.map((row) => row.expected),
    ),
    arrayParameter(
      'text',
      rows.map((row) => row.status),
    ),
    arrayParameter(
      'int8',
      rows.map((row) => row.nextAttemptAt),
    ),
    arrayParameter(
      'text',
      rows.map((row) => row.reason),
    ),
    arrayParameter(
      'int8',
      results.map((result) => result?.at),
    ),
    arrayParameter(
      'text',
      results.map((result) => result?.code),
    ),
    arrayParameter(
      'int4',
      results.map((result) => result?.durationMs),
    ),
    arrayParameter(
      'text',
      results.map((result) => result?.address),
    ),
    arrayParameter(
      'bytea',
      results.map((result) => result?.responseHead),
    ),
    BOOT_ID,
    nowMs,
  ];
  const [written] = await storage.execute<{ ids: string[] | null }>(CompiledQuery.raw(ON_POSTGRES, parameters));
  if (!written) throw new Error('Settling gave no answer');
  return new Set(written.ids ?? rows.map((row) => row.id));
}

async function inOneTransaction(storage: Storage, outcomes: readonly Outcome[]): Promise<Set<string>> {
  const nowMs = Date.now();
  const rows = outcomes.map((outcome) => columnsOf(outcome, nowMs));
  return storage.transaction(async (trx) => {
    const written = await settle(trx, storage.engine, rows, 1);
    const tally = new LedgerTally();
    const ours = outcomes.filter(({ delivery }) => written.has(delivery.deliveryId));
    for (const { delivery, verdict } of ours) {
      if (verdict.kind === 'delivered') tally.move(delivery.source, 'pending', 'delivered');
      else if (verdict.kind === 'gone') tally.move(delivery.source, 'pending', 'cancelled');
    }
    await storage.insertMany(trx, 'attempts', ours.flatMap(attemptRow));
    await recordDelta(trx, tally);
    return written;
  });
}
