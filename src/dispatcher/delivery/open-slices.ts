import { type RawBuilder, sql } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import type { Engine, Queryable } from '../../storage/storage';

/** Deliveries in one statement: on the embedded store it holds up the event loop. */
const SLICE = { sqlite: 500, postgres: 10_000 } as const satisfies Record<Engine, number>;

interface Place {
  created_at: number;
  id: string;
}

/**
 * Goes through all open deliveries, a bounded number at a time: by the indexes of those that are leased and of those that wait, so it
 * costs by their number and not by that of all. A million take seconds.
 * @param db Of one moment: see Storage.snapshot.
 * @param look Is given the condition on `deliveries d` that makes a slice.
 */
export async function eachOpenSlice(db: Queryable, engine: Engine, look: (slice: RawBuilder<boolean>) => Promise<void>): Promise<void> {
  await look(sql`d.lease_until is not null and d.next_attempt_at is not null`);
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
    await look(sql`${waiting}${from}${upTo}`);
    after = last;
    await setImmediate();
  } while (after !== undefined);
}
