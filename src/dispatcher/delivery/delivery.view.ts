import type { DeliveryStatus } from '../../core/hook-event';
import type { AttemptRow, DeliveryRow } from './deliveries.repository';
import type { AttemptDto, DeliveryDto, DeliveryWithAttemptsDto } from './deliveries.dto';

export const viewDelivery = (row: DeliveryRow): DeliveryDto => ({
  id: row.id,
  eventId: row.event_id,
  endpointId: row.endpoint_id,
  accountId: row.account_id,
  status: row.status as DeliveryStatus,
  reason: row.reason,
  deadClass: row.dead_class,
  nextAttemptAt: isoOf(row.next_attempt_at),
  attemptCount: row.attempt_count,
  inFlight: row.leased_by !== null,
  createdAt: new Date(row.created_at).toISOString(),
  settledAt: isoOf(row.settled_at),
});

/** @param attempts Of this delivery or of others too. */
export const viewWithAttempts = (row: DeliveryRow, attempts: readonly AttemptRow[]): DeliveryWithAttemptsDto => ({
  ...viewDelivery(row),
  attempts: attempts.filter((attempt) => attempt.delivery_id === row.id).map(viewAttempt),
});

const viewAttempt = (row: AttemptRow): AttemptDto => ({
  at: new Date(row.at).toISOString(),
  status: row.status as AttemptDto['status'],
  code: row.code,
  durationMs: row.duration_ms,
  address: row.address,
  responseHead: row.response_head && Buffer.from(row.response_head).toString('utf8'),
});

const isoOf = (timeMs: number | null): string | null => (timeMs === null ? null : new Date(timeMs).toISOString());
