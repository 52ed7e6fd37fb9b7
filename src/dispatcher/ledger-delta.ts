import type { Transaction } from 'kysely';
import type { DeliveryStatus } from '../core/hook-event';
import type { LedgerDeltasTable, Schema } from '../storage/schema';
import type { Storage } from '../storage/storage';
import { anyOf } from './any-of';
import { ofEvents } from './of-events';

/** What an event is in the ledger; every accepted event is exactly one of these. */
export type EventState = 'delivered' | 'filtered' | 'duplicate' | 'dead' | 'cancelled' | 'pending';
export type LedgerRow = Omit<LedgerDeltasTable, 'id'>;

const NOTHING: Omit<LedgerRow, 'source'> = {
  accepted: 0,
  delivered: 0,
  filtered: 0,
  duplicate: 0,
  dead: 0,
  cancelled: 0,
  pending: 0,
  door_confirmed: 0,
  door_dispatched: 0,
};

export const LEDGER_COLUMNS = Object.keys(NOTHING) as (keyof typeof NOTHING)[];

const OPEN: ReadonlySet<DeliveryStatus> = new Set(['pending', 'waiting']);

/** The state of an event that has deliveries: pending while any is open, then dead over cancelled over delivered. */
export function eventStateOf(statuses: readonly DeliveryStatus[]): EventState {
  if (statuses.some((status) => OPEN.has(status))) return 'pending';
  if (statuses.includes('dead')) return 'dead';
  return statuses.includes('cancelled') ? 'cancelled' : 'delivered';
}

/**
 * Collects what one transaction changes in the ledger. It knows no other change than an event that comes in as something and an
 * event that becomes something else, so accepted = the sum of the states holds by construction.
 */
export class LedgerTally {
  private readonly bySource = new Map<string, LedgerRow>();

  /** The sum of rows that were booked. */
  static of(rows: readonly LedgerRow[]): LedgerTally {
    const tally = new LedgerTally();
    for (const booked of rows) {
      const row = tally.row(booked.source);
      for (const column of LEDGER_COLUMNS) row[column] += booked[column];
    }
    return tally;
  }

  accept(source: string, state: EventState, events = 1): void {
    const row = this.row(source);
    row.accepted += events;
    row[state] += events;
  }

  move(source: string, from: EventState, to: EventState): void {
    if (from === to) return;
    const row = this.row(source);
    row[from] -= 1;
    row[to] += 1;
  }

  doorConfirmed(source: string, requests = 1): void {
    this.row(source).door_confirmed += requests;
  }

  doorDispatched(source: string, requests = 1): void {
    this.row(source).door_dispatched += requests;
  }

  /** One row a source; none where nothing changed. */
  rows(): LedgerRow[] {
    return [...this.bySource.values()].filter((row) => LEDGER_COLUMNS.some((column) => row[column] !== 0));
  }

  private row(source: string): LedgerRow {
    let row = this.bySource.get(source);
    if (!row) {
      row = { source, ...NOTHING };
      this.bySource.set(source, row);
    }
    return row;
  }
}

/** Books the tally in the transaction that makes it true. */
export async function recordDelta(trx: Transaction<Schema>, tally: LedgerTally): Promise<void> {
  const rows = tally.rows();
  if (rows.length > 0) await trx.insertInto('ledger_deltas').values(rows).execute();
}

/** A delivery whose status is about to change. */
export interface DeliveryRef {
  id: string;
  eventId: string;
  source: string;
  /** Of its row: how many deliveries its event has in all. */
  fanOut: number;
}

/** A change of status that was made; `pending` and `waiting` are alike as `from`. */
export interface StatusChange {
  delivery: DeliveryRef;
  from: DeliveryStatus;
  to: DeliveryStatus;
}

/**
 * The one way in which a delivery's status changes: settling, cancelling, retrying. Books what that makes of the events.
 * `change` updates the rows and returns the changes that it really made; it guards its update (by attempt number and lease, or by
 * the status it expects), so that `from` is what the row held. For events with several deliveries the events' rows are locked
 * first, in the order of their ids, and their deliveries compared before and after; those with one cost no further query.
 * @param candidates every delivery that `change` may touch.
 * @returns what `change` returned.
 */
export async function changeDeliveries(
  storage: Storage,
  trx: Transaction<Schema>,
  candidates: readonly DeliveryRef[],
  change: () => Promise<readonly StatusChange[]>,
): Promise<readonly StatusChange[]> {
  const shared = candidates.filter((candidate) => candidate.fanOut > 1).map((candidate) => candidate.eventId);
  const before = shared.length > 0 ? await lockAndRead(storage, trx, [...new Set(shared)].sort()) : new Map<string, Statuses>();
  const changes = await change();
  const tally = new LedgerTally();
  const after = new Map<string, { source: string; statuses: Statuses }>();
  for (const { delivery, from, to } of changes) {
    if (delivery.fanOut <= 1) {
      tally.move(delivery.source, eventStateOf([from]), eventStateOf([to]));
      continue;
    }
    const known = before.get(delivery.eventId);
    if (!known) throw new Error(`Delivery ${delivery.id} was changed without being a candidate`);
    const event = after.get(delivery.eventId) ?? { source: delivery.source, statuses: new Map(known) };
    event.statuses.set(delivery.id, to);
    after.set(delivery.eventId, event);
  }
  for (const [eventId, { source, statuses }] of after) {
    tally.move(source, stateOf(before.get(eventId)), stateOf(statuses));
  }
  await recordDelta(trx, tally);
  return changes;
}

/** The statuses of an event's deliveries by their ids. */
type Statuses = Map<string, DeliveryStatus>;

const stateOf = (statuses: Statuses | undefined): EventState => eventStateOf([...(statuses?.values() ?? [])]);

/** @param eventIds in order, so that two transactions that share events wait for each other in line. */
async function lockAndRead(storage: Storage, trx: Transaction<Schema>, eventIds: readonly string[]): Promise<Map<string, Statuses>> {
  const { engine } = storage;
  if (engine === 'postgres') {
    await trx
      .selectFrom('events')
      .select('id')
      .where(anyOf(engine, 'id', 'uuid', eventIds))
      .orderBy('id')
      .forUpdate()
      .execute();
  }
  // A statement of its own: it sees what was committed while the lock was waited for.
  const rows = await trx.selectFrom('deliveries').select(['id', 'event_id', 'status']).where(ofEvents(engine, eventIds)).execute();
  const events = new Map<string, Statuses>();
  for (const row of rows) {
    const statuses = events.get(row.event_id) ?? new Map<string, DeliveryStatus>();
    events.set(row.event_id, statuses.set(row.id, row.status as DeliveryStatus));
  }
  return events;
}
