import { sql } from 'kysely';
import type { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { changeDeliveries } from '../ledger-delta';

/** Why the open deliveries of an endpoint lead nowhere. */
export type Nowhere = 'endpoint_gone' | 'endpoint_deleted';

const GROUP = 500;

/**
 * Cancels the deliveries to an endpoint that nobody works on, in transactions of a few hundred each. The endpoint's row decides, not
 * what this process remembers of it: it may be new, or enabled again.
 * @param counted Told the size of each group once it is committed.
 * @returns how many were cancelled.
 */
export async function cancelOpen(storage: Storage, endpointId: string, counted: (cancelled: number) => void): Promise<number> {
  let cancelled = 0;
  for (;;) {
    const count = await cancelGroup(storage, endpointId);
    if (count === 0) return cancelled;
    cancelled += count;
    counted(count);
  }
}

async function cancelGroup(storage: Storage, endpointId: string): Promise<number> {
  return storage.transaction(async (trx) => {
    const endpoint = await trx
      .selectFrom('endpoints')
      .select(['enabled', 'disabled_reason'])
      .where('id', '=', endpointId)
      .$if(storage.engine === 'postgres', (query) => query.forShare())
      .executeTakeFirst();
    const reason: Nowhere = endpoint ? 'endpoint_gone' : 'endpoint_deleted';
    if (endpoint && (endpoint.enabled === 1 || endpoint.disabled_reason !== 'endpoint_gone')) return 0;
    const open = await trx
      .selectFrom('deliveries')
      .select(['id', 'event_id as eventId', 'source', 'fan_out as fanOut'])
      .where('endpoint_id', '=', endpointId)
      .where('leased_by', 'is', null)
      .where('next_attempt_at', 'is not', null)
      .orderBy('id')
      .limit(GROUP)
      .execute();
    if (open.length === 0) return 0;
    const idsOf = (rows: typeof open): string[] => rows.map((row) => row.id);
    const shared = idsOf(open.filter((row) => row.fanOut > 1));
    const changes = await changeDeliveries(storage, trx, open, async () => {
      const updated = await trx
        .updateTable('deliveries')
        .set({ status: 'cancelled', reason, next_attempt_at: null, settled_at: Date.now() })
        .where(anyOf(storage.engine, 'id', 'uuid', idsOf(open)))
        // An event that got a further delivery this very moment is no longer this one's alone: the next group takes it.
        .where((eb) => eb.or([eb('fan_out', '<=', 1), anyOf(storage.engine, 'id', 'uuid', shared)]))
        .where('leased_by', 'is', null)
        .where('next_attempt_at', 'is not', null)
        .returning(sql<string>`id`.as('id'))
        .execute();
      const written = new Set(updated.map((row) => row.id));
      return open.filter((row) => written.has(row.id)).map((delivery) => ({ delivery, from: 'waiting', to: 'cancelled' }));
    });
    return changes.length;
  });
}
