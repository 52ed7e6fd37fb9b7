import { type RawBuilder, sql } from 'kysely';
import { BOOT_ID } from '../../core/ids';
import type { Engine, Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { leasedByTheDead } from './limits/process-table';

/** Beyond an endpoint's timeout, for the result to be written. */
export const LEASE_MARGIN_MS = 10_000;

/** Leases go by the database's clock where there is one, since the clocks of processes differ. */
export const leaseClock = (engine: Engine): RawBuilder<number> =>
  engine === 'postgres' ? sql<number>`(extract(epoch from statement_timestamp()) * 1000)::bigint` : sql<number>`${Date.now()}`;

/** Prolongs the leases on deliveries that this boot still has in hand. @param leaseMs from now. */
export async function renewLeases(storage: Storage, deliveryIds: readonly string[], leaseMs: number): Promise<void> {
  if (deliveryIds.length === 0) return;
  await storage.db
    .updateTable('deliveries')
    .set({ lease_until: sql<number>`${leaseClock(storage.engine)} + ${sql.lit(leaseMs)}` })
    .where(anyOf(storage.engine, 'id', 'uuid', deliveryIds))
    .where('leased_by', '=', BOOT_ID)
    .execute();
}

/** Gives back leases of this boot on deliveries that were not attempted. */
export async function returnLeases(storage: Storage, deliveryIds: readonly string[]): Promise<void> {
  if (deliveryIds.length === 0) return;
  await storage.db
    .updateTable('deliveries')
    .set({ leased_by: null, lease_until: null })
    .where(anyOf(storage.engine, 'id', 'uuid', deliveryIds))
    .where('leased_by', '=', BOOT_ID)
    .execute();
}

/**
 * Frees deliveries whose process did not renew in time or is dead. Costs by the number of leased deliveries.
 * @param databaseNowMs by the database's clock.
 * @returns how many.
 */
export async function freeAbandonedLeases(storage: Storage, databaseNowMs: number): Promise<number> {
  const { numUpdatedRows } = await storage.db
    .updateTable('deliveries')
    .set({ leased_by: null, lease_until: null })
    .where('lease_until', 'is not', null)
    .where((eb) => {
      const expired = eb('lease_until', '<', leaseClock(storage.engine));
      return storage.engine === 'postgres' ? eb.or([expired, leasedByTheDead(databaseNowMs)]) : expired;
    })
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Frees what earlier boots left. Only where no other process can be at work: on the embedded store. @returns how many. */
export async function freeLeasesOfOtherBoots(storage: Storage): Promise<number> {
  const { numUpdatedRows } = await storage.db
    .updateTable('deliveries')
    .set({ leased_by: null, lease_until: null })
    .where('lease_until', 'is not', null)
    .where('leased_by', '<>', BOOT_ID)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}
