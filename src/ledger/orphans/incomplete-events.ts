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

type Registry = Pick<RegistrySnapshot, 'match'>;

/**
 * Events that say they have more deliveries than there are. What is lost was owed, as far as anyone knows: it is made anew for the
 * endpoints that the event matches now and that have no delivery of it. Where there is none, the event is what its other
 * deliveries make of it, or filtered.
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
  const { events } = await loadEvents(
    storage,
    rows.map((row) => row.id),
  );
  const mended: string[] = [];
  for (const event of events.values()) {
    if (await storage.transaction((trx) => mend(storage, trx, registry, event))) mended.push(event.id);
    await setImmediate();
  }
  repairs.made('event_without_deliveries', mended);
}

async function mend(storage: Storage, trx: Transaction<Schema>, registry: Registry, event: StoredEvent): Promise<boolean> {
  const { id } = event;
  const row = await trx
    .selectFrom('events')
    .select(['id', 'account_id', 'source', 'fan_out'])
    .where('id', '=', id)
    .$if(storage.engine === 'postgres', (query) => query.forUpdate())
    .executeTakeFirst();
  if (!row) return false;
  const present = await trx
    .selectFrom('deliveries')
    .select(['id', 'endpoint_id', 'status'])
    .where(ofEvents(storage.engine, [id]))
    .execute();
  const missing = row.fan_out - present.length;
  if (missing <= 0) return false;
  const served = new Set(present.map((delivery) => delivery.endpoint_id));
  const { endpoints } = registry.match(event);
  const wanting = endpoints.filter((endpoint) => !served.has(endpoint.id)).slice(0, missing);
  const fanOut = present.length + wanting.length;
  const hasFirst = present.some((delivery) => delivery.id === id);
  const attempts = hasFirst ? 0 : await attemptsOf(trx, id);
  const made = wanting.map((endpoint, index) =>
    index === 0 && !hasFirst ? deliveryOf(row, endpoint.id, fanOut, id, attempts) : deliveryOf(row, endpoint.id, fanOut, newId(), 0),
  );
  await storage.insertMany(trx, 'deliveries', made);
  if (fanOut !== row.fan_out) await setFanOut(storage, trx, id, fanOut);
  if (made.length === 0) {
    const tally = new LedgerTally();
    tally.move(row.source, 'pending', fanOut === 0 ? 'filtered' : eventStateOf(present.map(({ status }) => status as DeliveryStatus)));
    await recordDelta(trx, tally);
  }
  return true;
}

/** How many attempts there are of a delivery that is lost: results of the one that takes its id are numbered after them. */
async function attemptsOf(trx: Transaction<Schema>, deliveryId: string): Promise<number> {
  const last = await trx
    .selectFrom('attempts')
    .select('number')
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.number ?? 0;
}

async function setFanOut(storage: Storage, trx: Transaction<Schema>, id: string, fanOut: number): Promise<void> {
  await trx
    .updateTable('events')
    .set({ fan_out: fanOut, ...(fanOut === 0 && { filtered_reason: 'no_filter' }) })
    .where('id', '=', id)
    .execute();
  await trx
    .updateTable('deliveries')
    .set({ fan_out: fanOut })
    .where(ofEvents(storage.engine, [id]))
    .execute();
}

function deliveryOf(
  event: { id: string; account_id: string; source: string },
  endpointId: string,
  fanOut: number,
  id: string,
  attempts: number,
): InsertRow<'deliveries'> {
  const row = newDelivery(id, { ...event, accountId: event.account_id }, endpointId, fanOut, Date.now());
  return { ...row, status: attempts === 0 ? 'pending' : 'waiting', attempt_count: attempts, attempts_before: attempts };
}
