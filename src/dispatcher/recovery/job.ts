import type { Selectable } from 'kysely';
import type { JobsTable } from '../../storage/schema';
import type { DeadClass } from '../delivery/retry-policy';

export const JOB_KINDS = ['redrive', 'cancel', 'replay'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** `running` is one that waits for its turn, too; `stopping` ends as `stopped` with its next slice. */
export const JOB_STATES = ['running', 'stopping', 'stopped', 'done', 'failed'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Which deliveries a job is about; what is left out means any. */
export interface DeliveryFilter {
  endpointId?: string;
  deadClass?: DeadClass;
  /** To cancel: of the two open ones only this. */
  status?: 'pending' | 'waiting';
  reason?: string;
  application?: string;
  eventType?: string;
  /** When the delivery was made, in milliseconds since 1970: from, and before. */
  sinceMs?: number;
  untilMs?: number;
}

/** Which events a replay sends. */
export interface ReplayFilter {
  /** When the event was stored, in milliseconds since 1970: from, and before. */
  sinceMs: number;
  untilMs: number;
  /** Undefined: what the filters that name the endpoint match now. */
  events?: { applications: string[]; eventTypes: string[]; levels: string[] };
}

/** What a job does to whom, without what has become of it. */
interface OrderOf<K extends JobKind, F> {
  kind: K;
  /** Whose deliveries it may change; null: anybody's. */
  accountId: string | null;
  filter: F;
  /** Nothing that came after it is touched, in milliseconds since 1970. */
  createdAt: number;
}

export type BulkOrder = OrderOf<'redrive' | 'cancel', DeliveryFilter>;
export type ReplayOrder = OrderOf<'replay', ReplayFilter> & { accountId: string; endpointId: string };
export type JobOrder = BulkOrder | ReplayOrder;

export type JobRow = Selectable<JobsTable>;

export function orderOf(row: JobRow): JobOrder {
  const filter: unknown = JSON.parse(row.filter);
  const { account_id: accountId, created_at: createdAt } = row;
  const kind = row.kind as JobKind;
  if (kind !== 'replay') return { kind, accountId, createdAt, filter: filter as DeliveryFilter };
  if (accountId === null || row.endpoint_id === null) throw new Error(`The replay ${row.id} names no endpoint`);
  return { kind, accountId, createdAt, endpointId: row.endpoint_id, filter: filter as ReplayFilter };
}

/** How far a walk may go at once. */
export interface Stride {
  /** Rows looked at. */
  look: number;
  /** Rows found among them. */
  take: number;
}

export interface Steps<T> {
  found: T[];
  /** Where to go on; null at the end. */
  cursor: string | null;
}

/** Picks from rows in their order until enough are found. @param rows At most `stride.look`; fewer at the end. */
export function pick<T>(rows: readonly T[], stride: Stride, isWanted: (row: T) => boolean, cursorOf: (row: T) => string): Steps<T> {
  const found: T[] = [];
  for (const [index, row] of rows.entries()) {
    if (!isWanted(row)) continue;
    found.push(row);
    if (found.length === stride.take && index < rows.length - 1) return { found, cursor: cursorOf(row) };
  }
  const last = rows.at(-1);
  return { found, cursor: last === undefined || rows.length < stride.look ? null : cursorOf(last) };
}
