import { BOOT_ID } from '../../core/ids';
import type { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';

/** Beyond an endpoint's timeout, for the result to be written. */
export const LEASE_MARGIN_MS = 10_000;

/** Prolongs the leases on deliveries that this boot still has in hand. */
export async function renewLeases(storage: Storage, deliveryIds: readonly string[], leaseUntil: number): Promise<void> {
  if (deliveryIds.length === 0) return;
  await storage.db
    .updateTable('deliveries')
    .set({ lease_until: leaseUntil })
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

/** Frees deliveries whose process did not renew in time. @returns how many. */
export async function freeExpiredLeases(storage: Storage, nowMs: number): Promise<number> {
  const { numUpdatedRows } = await storage.db
    .updateTable('deliveries')
    .set({ leased_by: null, lease_until: null })
    .where('lease_until', '<', nowMs)
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
