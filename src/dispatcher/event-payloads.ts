import { sql } from 'kysely';
import type { Engine, Queryable } from '../storage/storage';
import { anyOf } from './any-of';
import type { AskableEvent } from './registry/event-subject';
import { asBuffer } from './stored-event';

/** Bytes of messages and contexts that are read at once; a longer one is read alone. */
const MAX_BYTES = 2_097_152;
const MAX_ROWS = 200;

/** An event with what conditions may ask of it. */
export type EventPayload = AskableEvent & { id: string };

/** Stands for what nobody asks for. */
export const UNASKED = { timestamp: '', context: null, data: Buffer.alloc(0) } as const satisfies Partial<AskableEvent>;

/** The events in slices that the memory bears, in the order of the ids given; those that are no more are left out. */
export async function* payloadSlices(on: Queryable, engine: Engine, ids: readonly string[]): AsyncGenerator<EventPayload[]> {
  const order = new Map(ids.map((id, index) => [id, index]));
  for (let start = 0; start < ids.length; start += 1_000) {
    const sizes = await sizesOf(on, engine, ids.slice(start, start + 1_000));
    sizes.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
    for (const slice of slicesOf(sizes)) {
      const rows = await read(on, engine, slice);
      yield rows.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
    }
  }
}

async function sizesOf(on: Queryable, engine: Engine, ids: readonly string[]): Promise<{ id: string; bytes: number }[]> {
  const length = sql.raw(engine === 'postgres' ? 'octet_length' : 'length');
  return on
    .selectFrom('events')
    .select([
      'id',
      sql<number>`case when data is null then data_end - data_start else ${length}(data) end + coalesce(${length}(context), 0)`.as('bytes'),
    ])
    .where(anyOf(engine, 'id', 'uuid', ids))
    .execute();
}

function slicesOf(sizes: readonly { id: string; bytes: number }[]): string[][] {
  const slices: string[][] = [];
  let [slice, bytes]: [string[], number] = [[], 0];
  for (const size of sizes) {
    if (slice.length > 0 && (bytes + size.bytes > MAX_BYTES || slice.length === MAX_ROWS)) {
      slices.push(slice);
      [slice, bytes] = [[], 0];
    }
    slice.push(size.id);
    bytes += size.bytes;
  }
  return slice.length === 0 ? slices : [...slices, slice];
}

async function read(on: Queryable, engine: Engine, ids: readonly string[]): Promise<EventPayload[]> {
  const rows = await on
    .selectFrom('events')
    .select(['id', 'account_id', 'application', 'event_type', 'level', 'timestamp', 'context'])
    .select(sql<Uint8Array>`case when data is null then substr(body, data_start + 1, data_end - data_start) else data end`.as('bytes'))
    .where(anyOf(engine, 'id', 'uuid', ids))
    .execute();
  return rows.map((row) => ({
    id: row.id,
    accountId: row.account_id,
    application: row.application,
    eventType: row.event_type,
    level: row.level,
    timestamp: row.timestamp,
    context: row.context === null ? null : asBuffer(row.context),
    data: asBuffer(row.bytes),
  }));
}
