import type { Selectable } from 'kysely';
import type { SecretBox } from '../../secrets/secret-box';
import { openColumns, sealColumns } from '../../secrets/sealed-columns';
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

type Row = Selectable<EndpointsTable>;
/** What of an endpoint is sealed in the database. */
type Sealed = Pick<EndpointRecord, 'secret' | 'previousSecret' | 'auth' | 'headers'>;

/**
 * The endpoint of a row. What is sealed is opened when it is first read, so that a hundred thousand endpoints cost nothing until they
 * get something; reading throws GatewayError `secret_unreadable` when no key opens it. A spread copy lacks it: see `opened`.
 */
export const fromRow = (row: Row, box: SecretBox): EndpointRecord => Object.assign(new SealedPart(row, box), plainOf(row));

/** A copy with everything in it, to be changed. @throws GatewayError `secret_unreadable`. */
export function opened(endpoint: EndpointRecord): EndpointRecord {
  const { secret, previousSecret, auth, headers } = endpoint;
  return { ...endpoint, secret, previousSecret, auth, headers };
}

/** The row of an endpoint that holds everything. */
export const toRow = (endpoint: EndpointRecord, box: SecretBox): EndpointsTable => ({
  id: endpoint.id,
  account_id: endpoint.accountId,
  name: endpoint.name,
  type: endpoint.type,
  url: endpoint.url,
  description: endpoint.description,
  ...sealColumns(box, endpoint.id, {
    secret: endpoint.secret,
    previous_secret: endpoint.previousSecret,
    auth: endpoint.auth && JSON.stringify(endpoint.auth),
    headers: JSON.stringify(endpoint.headers),
  }),
  enabled: endpoint.enabled ? 1 : 0,
  disabled_reason: endpoint.disabledReason,
  timeout_ms: endpoint.timeoutMs,
  max_in_flight: endpoint.maxInFlight,
  rate_per_second: endpoint.ratePerSecond,
  retry_schedule: endpoint.retrySchedule && JSON.stringify(endpoint.retrySchedule),
  properties: JSON.stringify(endpoint.properties),
  previous_secret_until: endpoint.previousSecretUntil,
  failing_since: endpoint.failingSince,
  disable_policy: endpoint.disablePolicy && JSON.stringify(endpoint.disablePolicy),
  failure_count: endpoint.failureCount,
  created_at: endpoint.createdAt,
  updated_at: endpoint.updatedAt,
});

const plainOf = (row: Row): Omit<EndpointRecord, keyof Sealed> => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  type: row.type,
  url: row.url,
  description: row.description,
  enabled: row.enabled === 1,
  disabledReason: row.disabled_reason,
  timeoutMs: row.timeout_ms,
  maxInFlight: row.max_in_flight,
  ratePerSecond: row.rate_per_second,
  retrySchedule: row.retry_schedule === null ? null : (JSON.parse(row.retry_schedule) as number[]),
  properties: JSON.parse(row.properties) as Record<string, unknown>,
  previousSecretUntil: row.previous_secret_until,
  failingSince: row.failing_since,
  disablePolicy: readDisablePolicy(row.disable_policy),
  failureCount: row.failure_count,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

class SealedPart implements Sealed {
  readonly #row: Row;
  readonly #box: SecretBox;
  #opened: Sealed | undefined;

  constructor(row: Row, box: SecretBox) {
    this.#row = row;
    this.#box = box;
  }

  get secret(): string {
    return this.#open().secret;
  }

  get previousSecret(): string | null {
    return this.#open().previousSecret;
  }

  get auth(): Record<string, unknown> | null {
    return this.#open().auth;
  }

  get headers(): Record<string, string> {
    return this.#open().headers;
  }

  #open(): Sealed {
    return (this.#opened ??= openedOf(this.#row, this.#box));
  }
}

function openedOf(row: Row, box: SecretBox): Sealed {
  const { secret, previous_secret: previousSecret, auth, headers } = openColumns(box, row.id, row);
  return {
    secret,
    previousSecret,
    auth: auth === null ? null : (JSON.parse(auth) as Record<string, unknown>),
    headers: JSON.parse(headers) as Record<string, string>,
  };
}
