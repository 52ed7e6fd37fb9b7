import type { Subject } from '../core/conditions/condition-path';
import type { WithheldReason } from '../core/hook-event';
import type { EventsTable } from '../storage/schema';

/** An event as it is kept: what a delivery is made of. */
export interface StoredEvent {
  id: string;
  accountId: string;
  source: string;
  application: string;
  eventType: string;
  level: string | null;
  /** ISO 8601. */
  timestamp: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  requestId: string;
  /** JSON text. */
  context: Buffer | null;
  /** JSON text, the sender's own bytes. */
  data: Buffer;
  body: Buffer;
  contentType: string;
  /** Ids of endpoints that get it whatever the filters say; told by the deliveries once it is kept. */
  to?: readonly string[];
  /** Kept as the row's `filtered_reason`. */
  withheld?: WithheldReason;
  /** The delivered body, once it is built: one for all deliveries of the event. */
  built?: Buffer;
  /** What conditions of filters read of it, while it is matched. */
  subject?: Subject | undefined;
}

type PayloadColumns = Pick<EventsTable, 'context' | 'body' | 'content_type' | 'data' | 'data_start' | 'data_end'>;
export type EventRow = Pick<
  EventsTable,
  'id' | 'account_id' | 'source' | 'application' | 'event_type' | 'level' | 'timestamp' | 'received_at' | 'request_id'
> &
  PayloadColumns;

/** Keeps the data as a slice of the body where they are one, so that no byte is stored twice. */
export function toEventRow(event: StoredEvent): EventRow {
  const { body, data } = event;
  const start = data.byteOffset - body.byteOffset;
  const isSlice = data.buffer === body.buffer && start >= 0 && start + data.length <= body.length;
  return {
    id: event.id,
    account_id: event.accountId,
    source: event.source,
    application: event.application,
    event_type: event.eventType,
    level: event.level,
    timestamp: event.timestamp,
    received_at: event.receivedAt,
    request_id: event.requestId,
    context: event.context,
    body,
    content_type: event.contentType,
    data: isSlice ? null : data,
    data_start: isSlice ? start : 0,
    data_end: isSlice ? start + data.length : 0,
  };
}

export function fromEventRow(row: EventRow): StoredEvent {
  const body = asBuffer(row.body);
  return {
    id: row.id,
    accountId: row.account_id,
    source: row.source,
    application: row.application,
    eventType: row.event_type,
    level: row.level,
    timestamp: row.timestamp,
    receivedAt: row.received_at,
    requestId: row.request_id,
    context: row.context === null ? null : asBuffer(row.context),
    data: row.data === null ? body.subarray(row.data_start, row.data_end) : asBuffer(row.data),
    body,
    contentType: row.content_type,
  };
}

/** SQLite gives Uint8Array, PostgreSQL Buffer. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
