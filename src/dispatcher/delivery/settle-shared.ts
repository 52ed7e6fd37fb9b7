import type { Transaction } from 'kysely';
import type { Schema } from '../../storage/schema';
import type { Storage } from '../../storage/storage';
import { changeDeliveries } from '../ledger-delta';
import type { OperationalEvents } from '../operational/operational-events';
import { type Outcome, type SettledColumns, attemptRow, columnsOf, deadOf } from './outcome';
import { settle } from './settle-statement';

/**
 * Writes results in a transaction that locks their events: of events with several deliveries, and of deliveries that are given up.
 * @returns the ids of the deliveries that were this boot's to settle.
 */
export function settleShared(storage: Storage, operational: OperationalEvents, outcomes: readonly Outcome[]): Promise<Set<string>> {
  return storage.transaction(async (trx) => {
    const written = await settleIn(trx, storage, outcomes);
    const ours = outcomes.filter(({ delivery }) => written.has(delivery.deliveryId));
    await storage.insertMany(trx, 'attempts', ours.flatMap(attemptRow));
    const dead = deadOf(ours);
    if (dead.length > 0) await operational.bookDead(trx, dead);
    return written;
  });
}

/** What became of the deliveries and of their events, and nothing else: neither the attempt's row nor anything told of it. */
export const settleBarely = (storage: Storage, outcomes: readonly Outcome[]): Promise<Set<string>> =>
  storage.transaction((trx) => settleIn(trx, storage, outcomes));

async function settleIn(trx: Transaction<Schema>, storage: Storage, outcomes: readonly Outcome[]): Promise<Set<string>> {
  const nowMs = Date.now();
  const rows = new Map(outcomes.map((outcome) => [outcome.delivery.deliveryId, columnsOf(outcome, nowMs)]));
  // Whatever was known of it when it was begun: its event may have got another delivery since.
  const refs = outcomes.map(({ delivery }) => ({ ...delivery, id: delivery.deliveryId, fanOut: Math.max(2, delivery.fanOut) }));
  let written = new Set<string>();
  await changeDeliveries(storage, trx, refs, async () => {
    written = await settle(trx, storage.engine, [...rows.values()]);
    const ours = refs.filter((ref) => written.has(ref.id));
    return ours.map((delivery) => ({ delivery, from: 'waiting', to: (rows.get(delivery.id) as SettledColumns).status }));
  });
  return written;
}
