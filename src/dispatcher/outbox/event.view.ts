import type { DeliveryStatus } from '../../core/hook-event';
import type { EventsTable } from '../../storage/schema';
import type { AttemptRow, DeliveryRow } from '../delivery/deliveries.repository';
import { viewWithAttempts } from '../delivery/delivery.view';
import { eventStateOf } from '../ledger-delta';
import { fromEventRow } from '../stored-event';
import type { EventSummaryDto } from './events.dto';
import type { EventSummaryRow } from './events.repository';

/** @param statuses Of its deliveries. */
export const viewSummary = (row: EventSummaryRow, statuses: readonly DeliveryStatus[]): EventSummaryDto => ({
  id: row.id,
  accountId: row.account_id,
  source: row.source,
  application: row.application,
  eventType: row.event_type,
  level: row.level,
  timestamp: row.timestamp,
  receivedAt: new Date(row.received_at).toISOString(),
  requestId: row.request_id,
  status: row.fan_out === 0 ? 'filtered' : (eventStateOf(statuses) as EventSummaryDto['status']),
  filteredReason: row.filtered_reason,
});

/** The event as JSON text; context and data stand in it as they were sent, so that no digit is lost. */
export function eventJson(row: EventsTable, deliveries: readonly DeliveryRow[], attempts: readonly AttemptRow[]): string {
  const { context, data } = fromEventRow(row);
  const statuses = deliveries.map((delivery) => delivery.status as DeliveryStatus);
  const summary = JSON.stringify(viewSummary(row, statuses)).slice(0, -1);
  const views = deliveries.map((delivery) => viewWithAttempts(delivery, attempts));
  return `${summary},"context":${context?.toString('utf8') ?? 'null'},"data":${data.toString('utf8')},"deliveries":${JSON.stringify(views)}}`;
}
