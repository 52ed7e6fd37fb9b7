import type { Selectable } from 'kysely';
import type { EndpointsTable } from '../../storage/schema';
import { type DisablePolicy, readDisablePolicy } from '../delivery/disable-policy';

/** An endpoint as dispatch and delivery use it: its row with the JSON columns parsed. */
export interface EndpointRecord {
  id: string;
  accountId: string;
  name: string;
  type: string;
  url: string;
  description: string;
  headers: Record<string, string>;
  auth: Record<string, unknown> | null;
  enabled: boolean;
  disabledReason: string | null;
  /** Null: the default of the settings. */
  timeoutMs: number | null;
  maxInFlight: number | null;
  ratePerSecond: number | null;
  /** Seconds to wait before each further attempt; null: the default schedule. */
  retrySchedule: number[] | null;
  properties: Record<string, unknown>;
  secret: string;
  /** Signs beside `secret` until `previousSecretUntil` (ms since 1970). */
  previousSecret: string | null;
  previousSecretUntil: number | null;
  /** Since when every attempt has failed (ms since 1970); null after a success. */
  failingSince: number | null;
  /** Null: the default policy. */
  disablePolicy: DisablePolicy | null;
  /** Failed attempts since it was enabled, where its policy counts them. */
  failureCount: number;
  createdAt: number;
  updatedAt: number;
}

export function fromRow(row: Selectable<EndpointsTable>): EndpointRecord {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    type: row.type,
    url: row.url,
    description: row.description,
    headers: JSON.parse(row.headers) as Record<string, string>,
    auth: row.auth === null ? null : (JSON.parse(row.auth) as Record<string, unknown>),
    enabled: row.enabled === 1,
    disabledReason: row.disabled_reason,
    timeoutMs: row.timeout_ms,
    maxInFlight: row.max_in_flight,
    ratePerSecond: row.rate_per_second,
    retrySchedule: row.retry_schedule === null ? null : (JSON.parse(row.retry_schedule) as number[]),
    properties: JSON.parse(row.properties) as Record<string, unknown>,
    secret: row.secret,
    previousSecret: row.previous_secret,
    previousSecretUntil: row.previous_secret_until,
    failingSince: row.failing_since,
    disablePolicy: readDisablePolicy(row.disable_policy),
    failureCount: row.failure_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
