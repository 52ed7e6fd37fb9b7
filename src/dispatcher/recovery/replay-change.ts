import type { Transaction } from 'kysely';
import type { DeliveryStatus } from '../../core/hook-event';
import { newId } from '../../core/ids';
import type { Schema } from '../../storage/schema';
import type { InsertRow, Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { LedgerTally, eventStateOf, recordDelta } from '../ledger-delta';
import { newDelivery } from '../new-delivery';
import { ofEvents } from '../of-events';
import { type Redrivable, redrive } from './bulk-change';
import { LEFT_ALONE } from './event-walk';

interface EventRow {
  id: string;
  account_id: string;
  source: string;
  fan_out: number;
}

interface DeliveryRow {
  id: string;
  event_id: string;
  endpoint_id: string;
  status: string;
  fan_out: number;
}

/**
 * Sends the events to the endpoint: makes the delivery that an event lacks, redrives one that is dead or cancelled, and leaves alone
 * what is delivered or still open. The events' rows are locked first, then those of their deliveries, so that whoever settles one of
 * them meanwhile either is seen here or sees the raised `fan_out`.
 * @returns how many deliveries were made or redriven.
 */
export async function replay(
  storage: Storage,
  trx: Transaction<Schema>,
  eventIds: readonly string[],
  endpointId: string,
  nowMs: number,
): Promise<number> {
  if (eventIds.length === 0) return 0;
  const events = await lockEvents(storage, trx, eventIds);
  const byEvent = await lockDeliveries(storage, trx, eventIds);
  const tally = new LedgerTally();
  const made: InsertRow<'deliveries'>[] = [];
  const redriven: Redrivable[] = [];
  for (const event of events) {
    const siblings = byEvent.get(event.id) ?? [];
    const own = siblings.filter((row) => row.endpoint_id === endpointId);
    const last = own.at(-1);
    // Where an event's deliveries have expired nobody knows any more who has got it.
    const isForgotten = siblings.length === 0 && event.fan_out > 0;
    if (isForgotten || own.some((row) => LEFT_ALONE.has(row.status))) continue;
    if (last) redriven.push(redrivableOf(event, last));
    else {
      made.push(newDelivery(newId(), { ...event, accountId: event.account_id }, endpointId, event.fan_out + 1, nowMs));
      tally.move(event.source, siblings.length === 0 ? 'filtered' : eventStateOf(siblings.map(statusOf)), 'pending');
    }
  }
  await insert(storage, trx, made);
  await recordDelta(trx, tally);
  return made.length + (await redrive(storage, trx, redriven, nowMs));
}

async function lockEvents(storage: Storage, trx: Transaction<Schema>, ids: readonly string[]): Promise<EventRow[]> {
  return trx
    .selectFrom('events')
    .select(['id', 'account_id', 'source', 'fan_out'])
    .where(anyOf(storage.engine, 'id', 'uuid', ids))
    .orderBy('id')
    .$if(storage.engine === 'postgres', (query) => query.forUpdate())
    .execute();
}

async function lockDeliveries(
  storage: Storage,
  trx: Transaction<Schema>,
  eventIds: readonly string[],
): Promise<Map<string, DeliveryRow[]>> {
  const rows = await trx
    .selectFrom('deliveries')
    .select(['id', 'event_id', 'endpoint_id', 'status', 'fan_out'])
    .where(ofEvents(storage.engine, eventIds))
    .orderBy('id')
    .$if(storage.engine === 'postgres', (query) => query.forUpdate())
    .execute();
  const byEvent = new Map<string, DeliveryRow[]>();
  for (const row of rows) byEvent.set(row.event_id, [...(byEvent.get(row.event_id) ?? []), row]);
  return byEvent;
}

async function insert(storage: Storage, trx: Transaction<Schema>, made: readonly InsertRow<'deliveries'>[]): Promise<void> {
  if (made.length === 0) return;
  const eventIds = made.map((row) => row.event_id);
  await trx
    .updateTable('events')
    .set((eb) => ({ fan_out: eb('fan_out', '+', 1), filtered_reason: null }))
    .where(anyOf(storage.engine, 'id', 'uuid', eventIds))
    .execute();
  await trx
    .updateTable('deliveries')
    .set((eb) => ({ fan_out: eb('fan_out', '+', 1) }))
    .where(ofEvents(storage.engine, eventIds))
    .execute();
  await storage.insertMany(trx, 'deliveries', made);
}

const statusOf = (row: DeliveryRow): DeliveryStatus => row.status as DeliveryStatus;

const redrivableOf = (event: EventRow, row: DeliveryRow): Redrivable => ({
  id: row.id,
  eventId: event.id,
  source: event.source,
  fanOut: row.fan_out,
  status: row.status as Redrivable['status'],
});
