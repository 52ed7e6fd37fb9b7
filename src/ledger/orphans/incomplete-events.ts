import { type Transaction, sql } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import { newId } from '../../core/ids';
import type { DeliveryStatus } from '../../core/hook-event';
import { LedgerTally, eventStateOf, recordDelta } from '../../dispatcher/ledger-delta';
import { loadEvents } from '../../dispatcher/load-events';
import { newDelivery } from '../../dispatcher/new-delivery';
import { ofEvents } from '../../dispatcher/of-events';
import type { RegistrySnapshot } from '../../dispatcher/registry/snapshot';
import type { StoredEvent } from '../../dispatcher/stored-event';
import type { Schema } from '../../storage/schema';
import type { InsertRow, Storage } from '../../storage/storage';
import type { Repairs } from '../repairs';
import type { IdRange } from './id-walk';
import { pendingSurplus } from './pending-surplus';

type Registry = Pick<RegistrySnapshot, 'match'>;

/**
 * Events that say they have more deliveries than there are. What is lost was owed, as far as anyone knows: it is made anew for the
 * endpoints that the event matches now and that have no delivery of it. Where there is none, the event is what its other
 * deliveries make of it, or filtered. Only of an event's first delivery, which bears its id, are attempts still found: one that arrived
 * stays delivered.
 */
export async function mendIncompleteEvents(
  storage: Storage,
  registry: Registry,
  { after, upTo }: IdRange,
  repairs: Repairs,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select e.id from events e where e.id > ${after} and e.id <= ${upTo} and e.fan_out > 0 and e.fan_out >
      (select count(*) from deliveries f where f.id = e.id) +
      (select count(*) from deliveries d where d.event_id = e.id and d.id <> d.event_id)`.execute(storage.db);
  if (rows.length === 0) return;
  const ids = rows.map((row) => row.id);
  const { events } = await loadEvents(storage, ids);
  const surplus = await pendingSurplus(storage);
  const mended: string[] = [];
  for (const event of events.values()) {
    const left = surplus.get(event.source) ?? 0;
    const found = await storage.transaction((trx) => mend(storage, trx, registry, event, left > 0));
    if (found) mended.push(event.id);
    if (found?.wasPending) surplus.set(event.source, left - 1);
    await setImmediate();
  }
  repairs.made('event_without_deliveries', mended);
}

/** @returns undefined when nothing was lost; else whether it took one of the events that the ledger calls pending and that had nothing open. */
async function mend(
  storage: Storage,
  trx: Transaction<Schema>,
  registry: Registry,
  event: StoredEvent,
  mayBePending: boolean,
): Promise<{ wasPending: boolean } | undefined> {
  const { id } = event;
  const row = await trx
    .selectFrom('events')
    .select(['id', 'account_id', 'source', 'fan_out'])
    .where('id', '=', id)
    .$if(storage.engine === 'postgres', (query) => query.forUpdate())
    .executeTakeFirst();
  if (!row) return undefined;
  const present = await trx
    .selectFrom('deliveries')
    .select(['id', 'endpoint_id', 'status'])
    .where(ofEvents(storage.engine, [id]))
    .execute();
  const missing = row.fan_out - present.length;
  if (missing <= 0) return undefined;
  const first = present.some((delivery) => delivery.id === id) ? undefined : await firstOf(trx, id);
  const served = new Set(present.map((delivery) => delivery.endpoint_id));
  const { endpoints } = registry.match(event);
  const wanting = endpoints.filter((endpoint) => !served.has(endpoint.id)).slice(0, missing);
  const fanOut = present.length + wanting.length;
  const made = wanting.map((endpoint, index) =>
    index === 0 && first ? remade(event, event.id, endpoint.id, fanOut, first) : remade(event, newId(), endpoint.id, fanOut, NEVER_TRIED),
  );
  await storage.insertMany(trx, 'deliveries', made);
  const before = present.map(({ status }) => status as DeliveryStatus);
  const after = [...before, ...made.map(({ status }) => status as DeliveryStatus)];
  const hasArrived = first?.hasArrived ?? false;
  if (fanOut !== row.fan_out) await setFanOut(storage, trx, id, fanOut, hasArrived);
  const isOwed = missing > (hasArrived ? 1 : 0) && eventStateOf(before) !== 'pending';
  const wasPending = isOwed && mayBePending;
  const lost: DeliveryStatus = wasPending ? 'pending' : first && !hasArrived && first.attempts > 0 ? 'dead' : 'delivered';
  const tally = new LedgerTally();
  tally.move(row.source, eventStateOf([...before, lost]), after.length === 0 && !hasArrived ? 'filtered' : eventStateOf(after));
  await recordDelta(trx, tally);
  return { wasPending };
}

interface LostFirst {
  attempts: number;
  hasArrived: boolean;
}

const NEVER_TRIED: LostFirst = { attempts: 0, hasArrived: false };

/** What the attempts tell of an event's first delivery that is lost. */
async function firstOf(trx: Transaction<Schema>, deliveryId: string): Promise<LostFirst> {
  const last = await trx
    .selectFrom('attempts')
    .select(['number', 'status'])
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { attempts: last?.number ?? 0, hasArrived: last?.status === 'succeeded' };
}

/** Further results are numbered after the attempts of the one that was lost. */
function remade(event: StoredEvent, id: string, endpointId: string, fanOut: number, lost: LostFirst): InsertRow<'deliveries'> {
  const nowMs = Date.now();
  const { attempts, hasArrived } = lost;
  const row = { ...newDelivery(id, event, endpointId, fanOut, nowMs), attempt_count: attempts, attempts_before: attempts };
  if (hasArrived) return { ...row, status: 'delivered', next_attempt_at: null, settled_at: nowMs };
  return { ...row, status: attempts === 0 ? 'pending' : 'waiting' };
}

async function setFanOut(storage: Storage, trx: Transaction<Schema>, id: string, fanOut: number, hasArrived: boolean): Promise<void> {
  await trx
    .updateTable('events')
    .set({ fan_out: fanOut, ...(fanOut === 0 && !hasArrived && { filtered_reason: 'no_filter' }) })
    .where('id', '=', id)
    .execute();
  await trx
    .updateTable('deliveries')
    .set({ fan_out: fanOut })
    .where(ofEvents(storage.engine, [id]))
    .execute();
}
