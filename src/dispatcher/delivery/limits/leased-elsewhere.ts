import { sql } from 'kysely';
import { BOOT_ID } from '../../../core/ids';
import type { Storage } from '../../../storage/storage';
import { GIVEN_UP_MS } from './ownership';

/** How many deliveries of each endpoint other processes have in hand that have not been given up. Costs by the number of leases. */
export async function leasedElsewhere(storage: Storage, endpointIds: readonly string[]): Promise<Map<string, number>> {
  if (storage.engine === 'sqlite' || endpointIds.length === 0) return new Map();
  const { rows } = await sql<{ endpoint_id: string; count: number }>`
    select d.endpoint_id, count(*) as count
    from deliveries d join processes p on p.boot_id = d.leased_by
    where d.lease_until is not null and d.leased_by <> ${BOOT_ID} and d.endpoint_id = any(${endpointIds}::uuid[])
      and p.seen_at >= (extract(epoch from statement_timestamp()) * 1000)::bigint - ${GIVEN_UP_MS}::bigint
    group by d.endpoint_id`.execute(storage.db);
  return new Map(rows.map((row) => [row.endpoint_id, row.count]));
}
