import { type Transaction, sql } from 'kysely';
import type { Schema } from '../../storage/schema';
import type { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { type DeliveryRef, type StatusChange, changeDeliveries } from '../ledger-delta';

/** A delivery got a sibling between being read and being changed: the transaction is to be done again. */
export class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

export type Redrivable = DeliveryRef & { status: 'dead' | 'cancelled' };

/** Makes settled deliveries due now, with their schedule from its beginning. @returns how many were as they were read. */
export async function redrive(storage: Storage, trx: Transaction<Schema>, rows: readonly Redrivable[], nowMs: number): Promise<number> {
  if (rows.length === 0) return 0;
  const changes = await changeDeliveries(storage, trx, rows, async () => {
    const changed: StatusChange[] = [];
    for (const status of ['dead', 'cancelled'] as const) {
      const of = rows.filter((row) => row.status === status);
      if (of.length > 0) changed.push(...(await redriveFrom(storage, trx, status, of, nowMs)));
    }
    return changed;
  });
  return changes.length;
}

/** One status at a time: what the row held is what the ledger takes it from. */
async function redriveFrom(
  storage: Storage,
  trx: Transaction<Schema>,
  from: Redrivable['status'],
  rows: readonly Redrivable[],
  nowMs: number,
): Promise<StatusChange[]> {
  const written = await trx
    .updateTable('deliveries')
    .set({
      status: sql<string>`case when attempt_count = 0 then 'pending' else 'waiting' end`,
      attempts_before: sql<number>`attempt_count`,
      next_attempt_at: nowMs,
      reason: null,
      dead_class: null,
      settled_at: null,
    })
    .where(anyOf(storage.engine, 'id', 'uuid', idsOf(rows)))
    .where('status', '=', from)
    .returning(['id', 'fan_out as fanOut'])
    .execute();
  return changesOf(rows, written, () => ({ from, to: 'waiting' }));
}

/** Cancels open deliveries that nobody works on. @returns the ids of those that were as they were read. */
export async function cancel(storage: Storage, trx: Transaction<Schema>, rows: readonly DeliveryRef[], nowMs: number): Promise<string[]> {
  if (rows.length === 0) return [];
  const changes = await changeDeliveries(storage, trx, rows, async () => {
    const written = await trx
      .updateTable('deliveries')
      .set({ status: 'cancelled', reason: 'manual', next_attempt_at: null, settled_at: nowMs })
      .where(anyOf(storage.engine, 'id', 'uuid', idsOf(rows)))
      .where('leased_by', 'is', null)
      .where('next_attempt_at', 'is not', null)
      .returning(['id', 'fan_out as fanOut'])
      .execute();
    return changesOf(rows, written, () => ({ from: 'waiting', to: 'cancelled' }));
  });
  return changes.map(({ delivery }) => delivery.id);
}

const idsOf = (rows: readonly DeliveryRef[]): string[] => rows.map((row) => row.id);

/** @throws OvertakenError where an event that was its only delivery's has more by now: its ledger needs another look. */
function changesOf<R extends DeliveryRef>(
  rows: readonly R[],
  written: readonly { id: string; fanOut: number }[],
  change: (row: R) => Pick<StatusChange, 'from' | 'to'>,
): StatusChange[] {
  const fanOuts = new Map(written.map((row) => [row.id, row.fanOut]));
  return rows.flatMap((row) => {
    const fanOut = fanOuts.get(row.id);
    if (fanOut === undefined) return [];
    if (fanOut > 1 && row.fanOut <= 1) throw new OvertakenError(`Event ${row.eventId} has more deliveries than it had`);
    return [{ delivery: row, ...change(row) }];
  });
}
