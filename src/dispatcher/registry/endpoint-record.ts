import type { Selectable } from 'kysely';
import { GatewayError } from '../../core/errors';
import { newId } from '../../core/ids';
import type { SecretBox } from '../../secrets/secret-box';
import { type SealedColumns, openColumn, sealColumn } from '../../secrets/sealed-columns';
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
type Columns = { [Column in keyof EndpointsTable]: EndpointsTable[Column] | undefined };
/** What of an endpoint is sealed in the database. */
type Sealed = Pick<EndpointRecord, 'secret' | 'previousSecret' | 'auth' | 'headers'>;

/**
 * The endpoint of a row. What is sealed is opened when it is first read, so that a hundred thousand endpoints cost nothing until they
 * get something; reading throws GatewayError `secret_unreadable` when no key opens it. A spread copy lacks it.
 */
export const fromRow = (row: Row, box: SecretBox): EndpointRecord => Object.assign(new SealedPart(row, box), plainOf(row));

/** Undefined where what is read is sealed and cannot be opened. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'secret_unreadable') return undefined;
    throw error;
  }
}

/** Why nothing can be sent to it; null when nothing is wrong with it. */
export const faultOf = (endpoint: EndpointRecord): 'secret_unreadable' | null =>
  readable(() => [endpoint.secret, endpoint.previousSecret, endpoint.auth, endpoint.headers]) ? null : 'secret_unreadable';

/** The row of an endpoint that holds everything. */
export const toRow = (endpoint: EndpointRecord, box: SecretBox): EndpointsTable => columnsOf(endpoint.id, endpoint, box) as EndpointsTable;

/** The columns of some fields of an endpoint; those of others are undefined. */
export function columnsOf(id: string, fields: Partial<EndpointRecord>, box: SecretBox): Columns {
  const seal = <T extends string | null | undefined>(column: keyof SealedColumns, text: T): T | string =>
    typeof text === 'string' ? sealColumn(box, id, column, text) : text;
  return {
    id: fields.id,
    account_id: fields.accountId,
    name: fields.name,
    type: fields.type,
    url: fields.url,
    description: fields.description,
    secret: seal('secret', fields.secret),
    previous_secret: seal('previous_secret', fields.previousSecret),
    auth: seal('auth', jsonOf(fields.auth)),
    headers: seal('headers', jsonOf(fields.headers)),
    enabled: fields.enabled === undefined ? undefined : fields.enabled ? 1 : 0,
    disabled_reason: fields.disabledReason,
    timeout_ms: fields.timeoutMs,
    max_in_flight: fields.maxInFlight,
    rate_per_second: fields.ratePerSecond,
    retry_schedule: jsonOf(fields.retrySchedule),
    properties: jsonOf(fields.properties),
    previous_secret_until: fields.previousSecretUntil,
    failing_since: fields.failingSince,
    disable_policy: jsonOf(fields.disablePolicy),
    failure_count: fields.failureCount,
    created_at: fields.createdAt,
    updated_at: fields.updatedAt,
  };
}

/** Null and undefined stay what they are. */
const jsonOf = <T extends object | null | undefined>(value: T): string | Exclude<T, object> =>
  (typeof value === 'object' && value !== null ? JSON.stringify(value) : value) as string | Exclude<T, object>;

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

/** A webhook of an account, with every default. */
export const newEndpoint = (accountId: string, url: string, secret: string, now: number): EndpointRecord => ({
  id: newId(),
  accountId,
  name: new URL(url).host,
  type: 'webhook',
  url,
  description: '',
  headers: {},
  auth: null,
  enabled: true,
  disabledReason: null,
  timeoutMs: null,
  maxInFlight: null,
  ratePerSecond: null,
  retrySchedule: null,
  properties: {},
  secret,
  previousSecret: null,
  previousSecretUntil: null,
  failingSince: null,
  disablePolicy: null,
  failureCount: 0,
  createdAt: now,
  updatedAt: now,
});

/** Each column is opened for itself: what is sound of a damaged row can be used. */
class SealedPart implements Sealed {
  readonly #row: Row;
  readonly #box: SecretBox;
  #secret: string | undefined;
  #previousSecret: string | undefined;
  #auth: Record<string, unknown> | undefined;
  #headers: Record<string, string> | undefined;

  constructor(row: Row, box: SecretBox) {
    this.#row = row;
    this.#box = box;
  }

  get secret(): string {
    return (this.#secret ??= this.#open('secret', this.#row.secret));
  }

  get previousSecret(): string | null {
    const { previous_secret: text } = this.#row;
    return text === null ? null : (this.#previousSecret ??= this.#open('previous_secret', text));
  }

  get auth(): Record<string, unknown> | null {
    const { auth: text } = this.#row;
    return text === null ? null : (this.#auth ??= this.#parsed('auth', text));
  }

  get headers(): Record<string, string> {
    return (this.#headers ??= this.#parsed('headers', this.#row.headers));
  }

  #parsed<T>(column: 'auth' | 'headers', text: string): Record<string, T> {
    const json = this.#open(column, text);
    try {
      return JSON.parse(json) as Record<string, T>;
    } catch {
      throw new GatewayError('secret_unreadable', `The ${column} of endpoint ${this.#row.id} are no JSON`);
    }
  }

  #open(column: keyof SealedColumns, text: string): string {
    return openColumn(this.#box, this.#row.id, column, text);
  }
}
