import { isOutage } from '../core/errors';
import type { Storage } from '../storage/storage';
import { anyOf } from './any-of';
import { type EventRow, type StoredEvent, fromEventRow } from './stored-event';

export interface LoadedEvents {
  /** By id; those that are no more are left out. */
  events: Map<string, StoredEvent>;
  /** Those whose row cannot be read, and why. */
  unreadable: Map<string, Error>;
}

/**
 * Each event once. Where one of many cannot be read (a page of the database is damaged, a value is out of its bounds), halves are read,
 * and halves of these, until it stands alone.
 * @throws what reading no event at all throws: then no event is to blame.
 */
export async function loadEvents(storage: Storage, ids: readonly string[]): Promise<LoadedEvents> {
  try {
    const rows = await read(storage, ids);
    return { events: new Map(rows.map((row) => [row.id, fromEventRow(row)])), unreadable: new Map() };
  } catch (error) {
    if (isOutage(error)) throw error;
    if (ids.length > 1) return inHalves(storage, ids);
    await read(storage, []);
    return { events: new Map(), unreadable: new Map(ids.map((id) => [id, error as Error])) };
  }
}

async function inHalves(storage: Storage, ids: readonly string[]): Promise<LoadedEvents> {
  const middle = Math.ceil(ids.length / 2);
  const first = await loadEvents(storage, ids.slice(0, middle));
  const second = await loadEvents(storage, ids.slice(middle));
  return {
    events: new Map([...first.events, ...second.events]),
    unreadable: new Map([...first.unreadable, ...second.unreadable]),
  };
}

const read = (storage: Storage, ids: readonly string[]): Promise<EventRow[]> =>
  storage.db
    .selectFrom('events')
    .select([
      'id',
      'account_id',
      'source',
      'application',
      'event_type',
      'level',
      'timestamp',
      'received_at',
      'request_id',
      'context',
      'body',
      'content_type',
      'data',
      'data_start',
      'data_end',
    ])
    .where(anyOf(storage.engine, 'id', 'uuid', ids))
    .execute();
