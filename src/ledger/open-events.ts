import { type RawBuilder, sql } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import type { Engine, Queryable } from '../storage/storage';

/** Deliveries in one statement: on the embedded store it holds up the event loop. */
const SLICE = { sqlite: 1_000, postgres: 10_000 } as const satisfies Record<Engine, number>;

/** An event counts at the first of its open deliveries. */
const IS_FIRST = sql`d.fan_out <= 1 or (
  not exists (select 1 from deliveries f where f.id = d.event_id and f.id < d.id and f.next_attempt_at is not null)
  and not exists (select 1 from deliveries s
    where s.event_id = d.event_id and s.id <> s.event_id and s.id < d.id and s.next_attempt_at is not null))`;

interface Place {
  created_at: number;
  id: string;
}

/**
 * How many events of each source have an open delivery. It walks the indexes of open deliveries, so it costs by their number and not
 * by that of all; a million of them take seconds.
 * @param db Of one moment: see Storage.snapshot.
 */
export async function countOpenEvents(db: Queryable, engine: Engine): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const add = async (deliveries: RawBuilder<unknown>): Promise<void> => {
    const { rows } = await sql<{ source: string; events: number }>`
      select d.source, cast(count(*) as bigint) as events from deliveries d where ${deliveries} and (${IS_FIRST}) group by d.source`.execute(
      db,
    );
    for (const { source, events } of rows) counts.set(source, (counts.get(source) ?? 0) + events);
  };
  await add(sql`d.lease_until is not null and d.next_attempt_at is not null`);
  const waiting = sql`d.leased_by is null and d.next_attempt_at is not null`;
  let after: Place | undefined;
  do {
    const from =
      after === undefined
        ? sql``
        : sql` and d.created_at >= ${after.created_at} and (d.created_at, d.id) > (${after.created_at}, ${after.id})`;
    const { rows } = await sql<Place>`select d.created_at, d.id from deliveries d where ${waiting}${from}
      order by d.created_at, d.id limit 1 offset ${sql.lit(SLICE[engine] - 1)}`.execute(db);
    const [last] = rows;
    const upTo =
      last === undefined
        ? sql``
        : sql` and d.created_at <= ${last.created_at} and (d.created_at, d.id) <= (${last.created_at}, ${last.id})`;
    await add(sql`${waiting}${from}${upTo}`);
    after = last;
    await setImmediate();
  } while (after !== undefined);
  return counts;
}
