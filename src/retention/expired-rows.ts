import { type Transaction, sql } from 'kysely';
import { anyOf } from '../dispatcher/any-of';
import { ofEvents } from '../dispatcher/of-events';
import type { Schema } from '../storage/schema';
import type { Engine, Storage } from '../storage/storage';

/** Events in one transaction: on the embedded store it holds up the event loop, some milliseconds at most. */
const SLICE = { sqlite: 50, postgres: 1_000 } as const satisfies Record<Engine, number>;

/** SQLite frees the pages of large bodies one by one; PostgreSQL does not touch them. */
const MOST_BYTES = { sqlite: 1_048_576, postgres: Infinity } as const satisfies Record<Engine, number>;

/** How many rows of each table were deleted. */
export type Deleted = Partial<Record<keyof Schema, number>>;

export interface Slice {
  /** The last id that was looked at; undefined: none is left. */
  last: string | undefined;
  deleted: Deleted;
}

const IS_OPEN = sql`(status in ('pending', 'waiting') or next_attempt_at is not null or leased_by is not null)`;

/**
 * Deletes, of the next events from above `after` to below `before`, those of which no delivery is open, with all of their deliveries
 * and attempts wherever these lie.
 */
export async function deleteEvents(storage: Storage, after: string, before: string): Promise<Slice> {
  const { engine } = storage;
  let last: string | undefined;
  const deleted = await storage.transaction(async (trx) => {
    // Whoever makes a further delivery of an event locks its row first.
    const { rows } = await sql<{ id: string; bytes: number }>`
      select id, octet_length(body) + coalesce(octet_length(data), 0) as bytes from events
      where id > ${after} and id < ${before} order by id limit ${sql.lit(SLICE[engine])}
      ${engine === 'postgres' ? sql`for update skip locked` : sql``}`.execute(trx);
    const events = firstBytes(rows, MOST_BYTES[engine]);
    last = events.length === SLICE[engine] || events.length < rows.length ? events.at(-1) : undefined;
    if (events.length === 0) return {};
    // Locked: one that is dead may be opened again at this very moment.
    const deliveries = await trx
      .selectFrom('deliveries')
      .select(['id', 'event_id', sql<boolean | number>`${IS_OPEN}`.as('isOpen')])
      .where(ofEvents(storage.engine, events))
      .orderBy('id')
      .$if(engine === 'postgres', (query) => query.forUpdate())
      .execute();
    const kept = new Set(deliveries.filter((row) => row.isOpen).map((row) => row.event_id));
    const goingDeliveries = deliveries.filter((row) => !kept.has(row.event_id)).map((row) => row.id);
    const goingEvents = events.filter((id) => !kept.has(id));
    return {
      attempts: await remove(trx, storage.engine, 'attempts', 'delivery_id', goingDeliveries),
      deliveries: await remove(trx, storage.engine, 'deliveries', 'id', goingDeliveries),
      events: await remove(trx, storage.engine, 'events', 'id', goingEvents),
    };
  });
  return { last, deleted };
}

/** Deletes, in the same way, settled deliveries whose event is no more: a replay made them in a later week than the event's. */
export async function deleteStrayDeliveries(storage: Storage, after: string, before: string): Promise<Slice> {
  const { engine } = storage;
  const boundary = await storage.db
    .selectFrom('deliveries')
    .select('id')
    .where('id', '>', after)
    .where('id', '<', before)
    .orderBy('id')
    .limit(1)
    .offset(10 * SLICE[engine] - 1)
    .executeTakeFirst();
  const last = boundary?.id;
  const upTo = last === undefined ? sql`d.id < ${before}` : sql`d.id <= ${last}`;
  const { rows } = await sql<{ id: string }>`
    select d.id from deliveries d where d.id > ${after} and ${upTo} and not ${IS_OPEN}
      and not exists (select 1 from events e where e.id = d.event_id)`.execute(storage.db);
  if (rows.length === 0) return { last, deleted: {} };
  const found = rows.map((row) => row.id);
  const deleted = await storage.transaction(async (trx) => {
    const gone = await sql<{ id: string }>`delete from deliveries where ${anyOf(engine, 'id', 'uuid', found)} and not ${IS_OPEN}
      returning id`.execute(trx);
    const stray = gone.rows.map((row) => row.id);
    return { attempts: await remove(trx, engine, 'attempts', 'delivery_id', stray), deliveries: stray.length };
  });
  return { last, deleted };
}

/** The first rows that hold so many bytes together; at least one. */
function firstBytes(rows: readonly { id: string; bytes: number }[], most: number): string[] {
  let bytes = 0;
  const ids: string[] = [];
  for (const row of rows) {
    bytes += row.bytes;
    if (ids.length > 0 && bytes > most) break;
    ids.push(row.id);
  }
  return ids;
}

async function remove<T extends 'events' | 'deliveries' | 'attempts'>(
  trx: Transaction<Schema>,
  engine: Engine,
  table: T,
  column: 'id' | 'delivery_id',
  ids: readonly string[],
): Promise<number> {
  if (ids.length === 0) return 0;
  const { numAffectedRows } = await sql`delete from ${sql.table(table)} where ${anyOf(engine, column, 'uuid', ids)}`.execute(trx);
  return Number(numAffectedRows ?? 0);
}
