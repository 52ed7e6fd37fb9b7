import type { InsertRow } from '../storage/storage';
import type { StoredEvent } from './stored-event';

/** The row of a delivery that is due at once and that nobody works on. `fanOut`: how many its event has, this one included. */
export const newDelivery = (
  id: string,
  event: Pick<StoredEvent, 'id' | 'accountId' | 'source'>,
  endpointId: string,
  fanOut: number,
  nowMs: number,
): InsertRow<'deliveries'> => ({
  id,
  event_id: event.id,
  endpoint_id: endpointId,
  account_id: event.accountId,
  source: event.source,
  status: 'pending',
  attempt_count: 0,
  next_attempt_at: nowMs,
  leased_by: null,
  lease_until: null,
  fan_out: fanOut,
  reason: null,
  dead_class: null,
  created_at: nowMs,
  settled_at: null,
});
