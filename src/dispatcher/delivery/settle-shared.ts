import type { Storage } from '../../storage/storage';
import { changeDeliveries } from '../ledger-delta';
import type { FollowUps } from '../operational/follow-ups';
import type { OperationalEvents } from '../operational/operational-events';
import { type Outcome, type SettledColumns, attemptRow, columnsOf, deadOf } from './outcome';
import { settle } from './settle-statement';

/** What is told of results, in the transaction that writes them. */
export interface Told {
  operational: OperationalEvents;
  followUps: FollowUps;
}

/**
 * Writes results in a transaction that locks their events: of events with several deliveries, of deliveries that are given up, and of
 * those from which something follows.
 * @param without `attempts`: their rows are left out.
 * @returns the ids of the deliveries that were this boot's to settle.
 */
export function settleShared(
  storage: Storage,
  { operational, followUps }: Told,
  outcomes: readonly Outcome[],
  without?: 'attempts',
): Promise<Set<string>> {
  const nowMs = Date.now();
  const rows = new Map(outcomes.map((outcome) => [outcome.delivery.deliveryId, columnsOf(outcome, nowMs)]));
  // Whatever was known of it when it was begun: its event may have got another delivery since.
  const refs = outcomes.map(({ delivery }) => ({ ...delivery, id: delivery.deliveryId, fanOut: Math.max(2, delivery.fanOut) }));
  return storage.transaction(async (trx) => {
    let written = new Set<string>();
    await changeDeliveries(storage, trx, refs, async () => {
      written = await settle(trx, storage.engine, [...rows.values()]);
      const ours = refs.filter((ref) => written.has(ref.id));
      return ours.map((delivery) => ({ delivery, from: 'waiting', to: (rows.get(delivery.id) as SettledColumns).status }));
    });
    const ours = outcomes.filter(({ delivery }) => written.has(delivery.deliveryId));
    if (without !== 'attempts') await storage.insertMany(trx, 'attempts', ours.flatMap(attemptRow));
    const dead = deadOf(ours);
    if (dead.length > 0) await operational.bookDead(trx, dead);
    await followUps.book(
      trx,
      ours.filter(({ delivery }) => followUps.concern(delivery.endpointId)).map(({ delivery }) => delivery.deliveryId),
    );
    return written;
  });
}
