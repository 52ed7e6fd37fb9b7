import { CompiledQuery, type RawBuilder, type Transaction, sql } from 'kysely';
import { BOOT_ID } from '../../core/ids';
import { arrayParameter } from '../../storage/postgres/array-parameter';
import type { Schema } from '../../storage/schema';
import type { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';

export interface OpenEndpoint {
  endpointId: string;
  /** When the first of its deliveries that nobody works on is due, in milliseconds since 1970. */
  firstDueAt: number;
}

/** Endpoints that one statement reads: SQLite's runs on the event loop, which must not stand still. */
const PAGE = 2_000;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * Every endpoint with deliveries that wait. It hops from endpoint to endpoint through the index of due deliveries, so it costs by
 * the number of endpoints that have any, not of deliveries.
 */
export async function openEndpoints(storage: Storage): Promise<OpenEndpoint[]> {
  const open: OpenEndpoint[] = [];
  for (let after = BEFORE_ALL; ;) {
    const query = storage.engine === 'postgres' ? hopsOnPostgres(after) : hopsOnSqlite(after);
    const { rows } = await query.execute(storage.db);
    for (const row of rows) {
      // Between the two looks at an endpoint its last delivery may have been taken.
      if (row.first_due_at !== null) open.push({ endpointId: row.endpoint_id, firstDueAt: row.first_due_at });
    }
    if (rows.length < PAGE) return open;
    after = (rows.at(-1) as HopRow).endpoint_id;
  }
}

interface HopRow {
  endpoint_id: string;
  first_due_at: number | null;
}

const hopsOnPostgres = (after: string): RawBuilder<HopRow> => sql<HopRow>`
  with recursive open as (
    (select endpoint_id, next_attempt_at, 1 as place from deliveries
     where leased_by is null and next_attempt_at is not null and endpoint_id > ${after}
     order by endpoint_id, next_attempt_at limit 1)
    union all
    select d.endpoint_id, d.next_attempt_at, open.place + 1 from open cross join lateral (
      select endpoint_id, next_attempt_at from deliveries
      where leased_by is null and next_attempt_at is not null and endpoint_id > open.endpoint_id
      order by endpoint_id, next_attempt_at limit 1
    ) d where open.place < ${sql.lit(PAGE)}
  )
  select endpoint_id, next_attempt_at as first_due_at from open`;

const hopsOnSqlite = (after: string): RawBuilder<HopRow> => sql<HopRow>`
  with recursive open(endpoint_id, place) as (
    select (select endpoint_id from deliveries
            where leased_by is null and next_attempt_at is not null and endpoint_id > ${after}
            order by endpoint_id limit 1), 1
    union all
    select (select d.endpoint_id from deliveries d
            where d.leased_by is null and d.next_attempt_at is not null and d.endpoint_id > open.endpoint_id
            order by d.endpoint_id limit 1), open.place + 1
    from open where open.endpoint_id is not null and open.place < ${sql.lit(PAGE)}
  )
  select endpoint_id,
    (select d.next_attempt_at from deliveries d
     where d.endpoint_id = open.endpoint_id and d.leased_by is null and d.next_attempt_at is not null
     order by d.next_attempt_at limit 1) as first_due_at
  from open where endpoint_id is not null`;

export interface Claim {
  /** How many deliveries are wanted for each endpoint. */
  wanted: ReadonlyMap<string, number>;
  nowMs: number;
  leaseUntil: number;
  /** Most bytes of bodies, unless a single one is larger. */
  maxBytes: number;
}

export interface ClaimedDelivery {
  id: string;
  event_id: string;
  endpoint_id: string;
  source: string;
  attempt_count: number;
  attempts_before: number;
  fan_out: number;
}

export interface Claimed {
  rows: ClaimedDelivery[];
  /** Endpoints of which less was taken than is due, since their bodies are too large together. */
  cut: ReadonlySet<string>;
}

/**
 * Leases due deliveries to this boot, the longest due of each endpoint first; what another process is taking is passed over. Where
 * not all bodies fit, every endpoint gets its first before any gets its second.
 */
export async function claimDue(storage: Storage, claim: Claim): Promise<Claimed> {
  return storage.engine === 'postgres' ? claimInOne(storage, claim) : storage.transaction((trx) => claimInTurn(trx, claim));
}

/**
 * Ids are handed on as arrays, not joined: whatever it believes about the tables' sizes, PostgreSQL then goes by the primary key
 * and opens only the partitions that the ids lie in.
 */
const CLAIM = `
  with due as materialized (
    select d.id, d.event_id, d.endpoint_id, d.next_attempt_at, d.turn
    from unnest($1::uuid[], $2::int4[]) as w(endpoint_id, wanted)
    cross join lateral (
      select locked.*, row_number() over (order by next_attempt_at, id) as turn from (
        select id, event_id, endpoint_id, next_attempt_at from deliveries
        where endpoint_id = w.endpoint_id and leased_by is null and next_attempt_at <= $3
        order by next_attempt_at limit w.wanted
        for update skip locked
      ) locked
    ) d
  ), sized as (
    select id, endpoint_id, row_number() over in_turn as place,
      sum((select octet_length(e.body) + coalesce(octet_length(e.data), 0) from events e where e.id = due.event_id)) over in_turn as bytes
    from due window in_turn as (order by turn, next_attempt_at, id)
  ), fitting as (
    select id, endpoint_id, place = 1 or coalesce(bytes, 0) <= $6 as fits from sized
  ), taken as (
    update deliveries set leased_by = $4, lease_until = $5
    where id = any(array(select id from fitting where fits))
    returning id, event_id, endpoint_id, source, attempt_count, attempts_before, fan_out
  )
  select id, event_id, endpoint_id, source, attempt_count, attempts_before, fan_out from taken
  union all
  select distinct null::uuid, null::uuid, endpoint_id, null, 0, 0, 0 from fitting where not fits`;

async function claimInOne(storage: Storage, claim: Claim): Promise<Claimed> {
  const parameters = [
    arrayParameter('uuid', [...claim.wanted.keys()]),
    arrayParameter('int4', [...claim.wanted.values()]),
    claim.nowMs,
    BOOT_ID,
    claim.leaseUntil,
    claim.maxBytes,
  ];
  type Row = ClaimedDelivery | { id: null; endpoint_id: string };
  const { rows } = await storage.db.executeQuery<Row>(CompiledQuery.raw(CLAIM, parameters));
  return {
    rows: rows.filter((row): row is ClaimedDelivery => row.id !== null),
    cut: new Set(rows.flatMap((row) => (row.id === null ? [row.endpoint_id] : []))),
  };
}

async function claimInTurn(trx: Transaction<Schema>, claim: Claim): Promise<Claimed> {
  const due: (ClaimedDelivery & { next_attempt_at: number; bytes: number | null; turn: number })[] = [];
  for (const [endpointId, wanted] of claim.wanted) {
    const { rows } = await sql<(typeof due)[number]>`
      select id, event_id, endpoint_id, source, attempt_count, attempts_before, fan_out, next_attempt_at,
        (select length(e.body) + coalesce(length(e.data), 0) from events e where e.id = deliveries.event_id) as bytes
      from deliveries
      where endpoint_id = ${endpointId} and leased_by is null and next_attempt_at <= ${claim.nowMs}
      order by next_attempt_at limit ${wanted}`.execute(trx);
    due.push(...rows.map((row, turn) => ({ ...row, turn })));
  }
  due.sort((a, b) => a.turn - b.turn || a.next_attempt_at - b.next_attempt_at);
  let bytes = 0;
  const fits = due.map((row, index) => {
    bytes += row.bytes ?? 0;
    return index === 0 || bytes <= claim.maxBytes;
  });
  const rows = due.filter((_, index) => fits[index]);
  const cut = new Set(due.flatMap((row, index) => (fits[index] ? [] : [row.endpoint_id])));
  if (rows.length > 0) {
    const ids = rows.map((row) => row.id);
    await sql`update deliveries set leased_by = ${BOOT_ID}, lease_until = ${claim.leaseUntil}
      where ${anyOf('sqlite', 'id', 'uuid', ids)}`.execute(trx);
  }
  return { rows, cut };
}
