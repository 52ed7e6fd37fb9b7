import { sql } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import { cancelOpen } from '../../dispatcher/delivery/cancellation';
import { changeDeliveries } from '../../dispatcher/ledger-delta';
import type { Metrics } from '../../metrics/metrics.service';
import type { Engine, Storage } from '../../storage/storage';
import type { Repairs } from '../repairs';

/** Where the walk through the open deliveries has come to. */
interface OpenPlace {
  createdAt: number;
  id: string;
}

const SLICE = { sqlite: 250, postgres: 5_000 } as const satisfies Record<Engine, number>;
const SLICES = { sqlite: 4, postgres: 2 } as const satisfies Record<Engine, number>;

interface OpenDelivery {
  id: string;
  eventId: string;
  endpointId: string;
  source: string;
  fanOut: number;
  status: 'pending' | 'waiting';
  createdAt: number;
  hasEvent: boolean | number;
  hasEndpoint: boolean | number;
}

/** What one turn hands to the next. */
export interface LostEnds {
  /** Where to go on; undefined: from the beginning. */
  place?: OpenPlace;
  /** Endpoints that were not there. */
  missing: string[];
}

/** Endpoints that are remembered for the next turn; what is beyond is found again. */
const MOST_MISSING = 1_000;

/**
 * Open deliveries that nobody works on and whose event or endpoint is no more. The puller finds them too, once they are due; these may
 * be due in hours, or never while an endpoint is disabled. An endpoint may have been deleted this very moment, so its deliveries are
 * left to the puller until the next turn.
 */
export async function mendLostEnds(storage: Storage, before: LostEnds | undefined, repairs: Repairs, metrics: Metrics): Promise<LostEnds> {
  for (const endpointId of before?.missing ?? []) {
    const count = await cancelOpen(storage, endpointId, (more) => metrics.cancelled.inc(more));
    repairs.made('endpoint_missing', [`endpoint ${endpointId}`], count);
  }
  let place = before?.place;
  const missing = new Set<string>();
  for (let slice = 0; slice < SLICES[storage.engine]; slice++) {
    const rows = await nextSlice(storage, place);
    const last = rows.at(-1);
    await buryWithoutEvent(
      storage,
      rows.filter((row) => !row.hasEvent),
      repairs,
      metrics,
    );
    for (const row of rows) if (row.hasEvent && !row.hasEndpoint) missing.add(row.endpointId);
    place = rows.length < SLICE[storage.engine] || last === undefined ? undefined : { createdAt: last.createdAt, id: last.id };
    if (place === undefined) break;
    await setImmediate();
  }
  return { ...(place && { place }), missing: [...missing].slice(0, MOST_MISSING) };
}

async function nextSlice({ db, engine }: Storage, place: OpenPlace | undefined): Promise<OpenDelivery[]> {
  const from =
    place === undefined ? sql`` : sql`and created_at >= ${place.createdAt} and (created_at, id) > (${place.createdAt}, ${place.id})`;
  const { rows } = await sql<OpenDelivery>`
    select d.id, d.event_id as "eventId", d.endpoint_id as "endpointId", d.source, d.fan_out as "fanOut", d.status,
      d.created_at as "createdAt",
      exists (select 1 from events e where e.id = d.event_id) as "hasEvent",
      exists (select 1 from endpoints p where p.id = d.endpoint_id) as "hasEndpoint"
    from (select id, event_id, endpoint_id, source, fan_out, status, created_at from deliveries
          where leased_by is null and next_attempt_at is not null ${from}
          order by created_at, id limit ${sql.lit(SLICE[engine])}) d
    order by d.created_at, d.id`.execute(db);
  return rows;
}

/** They can never be sent: dead, of our own pipeline. */
async function buryWithoutEvent(storage: Storage, orphans: readonly OpenDelivery[], repairs: Repairs, metrics: Metrics): Promise<void> {
  if (orphans.length === 0) return;
  const changes = await storage.transaction((trx) =>
    changeDeliveries(storage, trx, orphans, async () => {
      const made: { delivery: OpenDelivery; from: 'waiting'; to: 'dead' }[] = [];
      for (const delivery of orphans) {
        const row = await trx
          .updateTable('deliveries')
          .set({ status: 'dead', reason: 'event_missing', dead_class: 'pipeline', next_attempt_at: null, settled_at: Date.now() })
          .where('id', '=', delivery.id)
          .where('leased_by', 'is', null)
          .where('next_attempt_at', 'is not', null)
          .returning('id')
          .executeTakeFirst();
        if (row) made.push({ delivery, from: 'waiting', to: 'dead' });
      }
      return made;
    }),
  );
  metrics.dead.inc({ class: 'pipeline' }, changes.length);
  repairs.made(
    'event_missing',
    changes.map(({ delivery }) => delivery.id),
  );
}
