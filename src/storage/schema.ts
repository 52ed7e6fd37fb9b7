import type { Generated } from 'kysely';

/**
 * The tables, one schema for SQLite and PostgreSQL. Times are milliseconds since 1970; `json` columns hold JSON text;
 * payload columns hold bytes, since a sender may send anything. Booleans are 0 and 1, as SQLite has no other.
 */
type Json = string;
type Flag = 0 | 1;
type TimeMs = number;

/** What an account is has no more to it than its name yet; it appears on first use. */
export interface AccountsTable {
  id: string;
  name: string;
  created_at: TimeMs;
}

/** Who on a platform belongs to which account. */
export interface AccountIdentitiesTable {
  channel: string;
  external_id: string;
  account_id: string;
  created_at: TimeMs;
  /** The token to act for it on the platform, sealed (src/dispatcher/registry/identity-credentials.ts); null: none is known. */
  credentials: string | null;
  /** When they were set. */
  credentials_at: TimeMs | null;
}

export interface ApiKeysTable {
  id: string;
  /** Null for an admin key. */
  account_id: string | null;
  name: string;
  /** The first characters of the key, to recognise it by. */
  prefix: string;
  /** SHA-256 of the whole key, hex. */
  hash: string;
  created_at: TimeMs;
  revoked_at: TimeMs | null;
}

export interface EndpointsTable {
  id: string;
  account_id: string;
  name: string;
  type: string;
  url: string;
  description: string;
  headers: Json;
  auth: Json | null;
  enabled: Flag;
  disabled_reason: string | null;
  timeout_ms: number | null;
  max_in_flight: number | null;
  rate_per_second: number | null;
  retry_schedule: Json | null;
  properties: Json;
  secret: string;
  /** Signs beside `secret` until `previous_secret_until`. */
  previous_secret: string | null;
  previous_secret_until: TimeMs | null;
  /** Since when every attempt has failed; null after a success. */
  failing_since: TimeMs | null;
  /** When it is disabled for failing (src/dispatcher/delivery/disable-policy.ts); null is the default. */
  disable_policy: Json | null;
  /** Failed attempts since it was enabled, where its policy counts them. */
  failure_count: number;
  created_at: TimeMs;
  updated_at: TimeMs;
}

export interface FiltersTable {
  id: string;
  account_id: string;
  name: string;
  enabled: Flag;
  applications: Json;
  event_types: Json;
  levels: Json;
  /** Conditions on what stands in the event; null: none. */
  where: Json | null;
  endpoint_ids: Json;
  created_at: TimeMs;
  updated_at: TimeMs;
}

/** One row; its number grows with every change of accounts, identities, keys, endpoints and filters. */
export interface RegistryVersionTable {
  id: number;
  version: number;
}

/** Systems that send to a URL of their own; see src/sources. */
export interface SourcesTable {
  id: string;
  account_id: string;
  name: string;
  application: string;
  enabled: Flag;
  /** Its type and settings without their secrets. */
  verification: Json;
  /** The settings that are secrets, sealed. */
  secrets: Json;
  /** Secrets that count beside those until `previous_secrets_until`, sealed; a list. */
  previous_secrets: Json | null;
  previous_secrets_until: TimeMs | null;
  /** The last part of its URL, sealed: to be shown again. */
  token: string;
  /** SHA-256 of the token, base64url. */
  token_hash: string;
  /** Of the one that is let in as well until `previous_token_until`. */
  previous_token_hash: string | null;
  previous_token_until: TimeMs | null;
  event_type_from: string | null;
  /** What senders are answered; null: what their platform expects. */
  response: Json | null;
  created_at: TimeMs;
  updated_at: TimeMs;
}

/** When each endpoint, filter, identity or source changed last; kept by triggers. */
export interface RegistryChangesTable {
  kind: string;
  /** The row's id; of an identity `[channel, externalId]` as JSON. */
  key: string;
  /** Of the registry. */
  version: number;
}

export interface EventsTable {
  id: string;
  account_id: string;
  source: string;
  application: string;
  event_type: string;
  level: string | null;
  /** When it happened, as the sender says, else when it came; ISO 8601 as sent. */
  timestamp: string;
  received_at: TimeMs;
  request_id: string;
  context: Uint8Array | null;
  body: Uint8Array;
  content_type: string;
  /** The data's bytes, where they are no slice of `body`. */
  data: Uint8Array | null;
  /** Where in `body` the data lie, from start to before end; unused when `data` is set. */
  data_start: number;
  data_end: number;
  /** Deliveries made for it by dispatch; 0 when it was filtered. */
  fan_out: number;
  /** Why there are none: `no_filter` or `endpoint_disabled`; null when there are. */
  filtered_reason: string | null;
}

/** Keys of the last 8 days, against duplicates. */
export interface EventKeysTable {
  /** `<source>:<account>:<platform's key>`. */
  key: string;
  event_id: string;
  request_id: string;
  created_at: TimeMs;
}

export interface DeliveriesTable {
  /** Of the first one that dispatch makes for an event: the event's own id (see src/dispatcher/of-events.ts). */
  id: string;
  event_id: string;
  endpoint_id: string;
  account_id: string;
  source: string;
  status: string;
  attempt_count: number;
  /** Attempts made before it was last redriven: the schedule counts from there. */
  attempts_before: Generated<number>;
  /** When it is due; null once it is settled. */
  next_attempt_at: TimeMs | null;
  /** The boot that works on it; null when nobody does. */
  leased_by: string | null;
  lease_until: TimeMs | null;
  /** How many deliveries its event has in all: with 1, its status is the event's. */
  fan_out: number;
  /** Why it is dead or cancelled. */
  reason: string | null;
  /** `receiver` or `pipeline`, when dead. */
  dead_class: string | null;
  created_at: TimeMs;
  settled_at: TimeMs | null;
}

/** By delivery and number. */
export interface AttemptsTable {
  delivery_id: string;
  /** From 1. */
  number: number;
  at: TimeMs;
  /** `succeeded` or `failed`. */
  status: string;
  /** The answer's HTTP status, or a short error code such as `timeout`, `address_refused`. */
  code: string;
  duration_ms: number;
  /** The address that was connected to; null when none was. */
  address: string | null;
  /** The first 4 KiB of the answer. */
  response_head: Uint8Array | null;
}

/** Requests that were refused at a door. */
export interface RequestsTable {
  id: string;
  at: TimeMs;
  source: string;
  outcome: string;
  status: number;
  code: string;
  detail: string;
  method: string;
  path: string;
  address: string;
  headers: Json;
  /** The beginning of it, or all. */
  body: Uint8Array | null;
  body_bytes: number;
  request_id: string;
  /** Its name, which several sources may share. */
  door: string;
  /** Whose source it is, where that is known. */
  account_id: string | null;
  /** Target, route and headers as they came, sealed; null in rows of a version that did not keep them. */
  original: string | null;
  /** Whether `body` is all of it, or there was none. */
  body_whole: Flag;
  /** When it was taken in after all. */
  accepted_at: TimeMs | null;
  /** Since when somebody is taking it in. */
  claimed_at: TimeMs | null;
}

/** What a group changed in the ledger's sum; folded into `ledger_totals` later, so that no row is hot. */
export interface LedgerDeltasTable {
  id: Generated<number>;
  source: string;
  accepted: number;
  delivered: number;
  filtered: number;
  duplicate: number;
  dead: number;
  cancelled: number;
  pending: number;
  /** Requests that the broker confirmed, and requests that were dispatched from it. */
  door_confirmed: number;
  door_dispatched: number;
}

export type LedgerTotalsTable = Omit<LedgerDeltasTable, 'id'>;

export interface IdempotencyKeysTable {
  account_id: string;
  key: string;
  /** SHA-256 of the body, hex. */
  body_hash: string;
  /** The answer that is given again. */
  response: Json;
  created_at: TimeMs;
}

/** Processes at work on the same database; times by the database's clock. Empty on SQLite. */
export interface ProcessesTable {
  boot_id: string;
  started_at: TimeMs;
  /** Renewed every second. */
  seen_at: TimeMs;
  /** From when it owns its share; null once it is shutting down. */
  active_from: TimeMs | null;
}

/** Work that one process at a time does, every so often; see src/storage/chore.ts. */
export interface ChoresTable {
  name: string;
  /** The boot that has the turn; null when none does. */
  held_by: string | null;
  held_until: TimeMs | null;
  next_at: TimeMs;
  /** What the last turn left for the next; null before the first. */
  state: Json | null;
}

/** A change of many deliveries that goes on in slices; see src/dispatcher/recovery. */
export interface JobsTable {
  id: string;
  kind: string;
  state: string;
  /** Whose deliveries it may change; null: anybody's. */
  account_id: string | null;
  endpoint_id: string | null;
  filter: Json;
  rate_per_second: number;
  total: number;
  total_is_lower_bound: Flag;
  examined: number;
  changed: number;
  /** Where the next slice begins; null: at the beginning. */
  cursor: string | null;
  created_at: TimeMs;
  updated_at: TimeMs;
  finished_at: TimeMs | null;
  error: string | null;
}

/** Conversations on platforms; see src/threads. */
export interface ThreadsTable {
  account_id: string;
  /** The platform's conversation, with the channel before it. */
  id: string;
  channel: string;
  /** When something was said last. */
  last_at: TimeMs;
}

/** What was said in them. */
export interface StatementsTable {
  account_id: string;
  thread_id: string;
  at: TimeMs;
  event_id: string;
  author: string;
  own: Flag;
  text: string;
  attachments: Json;
}

/** Which of the load balancer's cookies brings an actor back to its instance; see src/affinity. */
export interface AffinitySessionsTable {
  /** SHA-256 of target, cookie name and actor, in base64url: who the actors are is nobody's business here. */
  key: string;
  /** Its value, sealed. Sealed anew it is another text, so it tells one state of the row from another. */
  cookie: string;
  expires_at: TimeMs;
}

/** Requests that a door accepted by a one-time password: a code admits each of its step once. */
export interface OtpUsesTable {
  door: string;
  /** Of 30 s since 1970. */
  step: number;
  /** SHA-256 of the body, hex. */
  body_hash: string;
}

/** Wrong one-time passwords of the last half hour. */
export interface OtpFailuresTable {
  /** Of the caller; of IPv6 its network. */
  address: string;
  at: TimeMs;
  id: string;
}

/** Webhooks by the URLs that tenants had made for them; see src/token-webhooks. */
export interface TokenWebhooksTable {
  id: string;
  account_id: string;
  /** The tenant's id as JSON text, as its access token's check told it. */
  tenant_id: Json;
  datasource: string;
  event: string;
  /** Where in the body the time stands. */
  ts_field: string | null;
  /** For whose host the URL is. */
  server: string;
  /** SHA-256 of the token, hex. */
  token_hash: string;
  api_token_hash: string;
  /** Both, as they are shown again in the URL: JSON, sealed. */
  tokens: string;
  created_at: TimeMs;
}

/** Small facts of the installation, such as whether the admin key was made. */
export interface MetaTable {
  key: string;
  value: string;
}

export interface Schema {
  accounts: AccountsTable;
  account_identities: AccountIdentitiesTable;
  api_keys: ApiKeysTable;
  endpoints: EndpointsTable;
  filters: FiltersTable;
  sources: SourcesTable;
  registry_version: RegistryVersionTable;
  registry_changes: RegistryChangesTable;
  events: EventsTable;
  event_keys: EventKeysTable;
  deliveries: DeliveriesTable;
  attempts: AttemptsTable;
  requests: RequestsTable;
  ledger_deltas: LedgerDeltasTable;
  ledger_totals: LedgerTotalsTable;
  idempotency_keys: IdempotencyKeysTable;
  chores: ChoresTable;
  jobs: JobsTable;
  threads: ThreadsTable;
  statements: StatementsTable;
  otp_uses: OtpUsesTable;
  otp_failures: OtpFailuresTable;
  token_webhooks: TokenWebhooksTable;
  meta: MetaTable;
  processes: ProcessesTable;
  affinity_sessions: AffinitySessionsTable;
}
