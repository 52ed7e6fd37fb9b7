import { sql } from 'kysely';
import { eachOpenSlice } from '../dispatcher/delivery/open-slices';
import type { Engine, Queryable } from '../storage/storage';

/** An event counts at the first of its open deliveries. */
const IS_FIRST = sql`d.fan_out <= 1 or (
  not exists (select 1 from deliveries f where f.id = d.event_id and f.id < d.id and f.next_attempt_at is not null)
  and not exists (select 1 from deliveries s
    where s.event_id = d.event_id and s.id <> s.event_id and s.id < d.id and s.next_attempt_at is not null))`;

/**
 * How many events of each source have an open delivery.
 * @param db Of one moment: see Storage.snapshot.
 */
export async function countOpenEvents(db: Queryable, engine: Engine): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  await eachOpenSlice(db, engine, async (slice) => {
    const { rows } = await sql<{ source: string; events: number }>`
      select d.source, cast(count(*) as bigint) as events from deliveries d where ${slice} and (${IS_FIRST}) group by d.source`.execute(db);
    for (const { source, events } of rows) counts.set(source, (counts.get(source) ?? 0) + events);
  });
  return counts;
}
