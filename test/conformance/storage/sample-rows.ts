import { newId } from '../../../src/core/ids';
import type { Schema } from '../../../src/storage/schema';
import type { InsertRow } from '../../../src/storage/storage';

/** Every byte there is: no encoding survives this but that of bytes. */
export const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;
/** Quotes, a comma, a backslash, braces, line ends, characters of 1 to 4 bytes: what array and string syntax could trip over. */
export const AWKWARD_TEXT = '"a\', \\N {NULL} \r\n\t $1 ? é € 𝄞 \u2028 \u0001';

export function sampleEvent(): InsertRow<'events'> {
  return {
    id: newId(),
    account_id: 'default',
    source: 'facebook',
    application: AWKWARD_TEXT,
    event_type: 'message',
    level: null,
    timestamp: '2026-11-22T10:00:00.000Z',
    received_at: MAX_INTEGER,
    request_id: newId(),
    context: null,
    body: ALL_BYTES,
    content_type: 'application/json',
    data: new Uint8Array(0),
    data_start: 0,
    data_end: 2_147_483_647,
    fan_out: 1,
    filtered_reason: null,
  };
}

export function sampleDelivery(eventId = newId()): InsertRow<'deliveries'> {
  return {
    id: newId(),
    event_id: eventId,
    endpoint_id: newId(),
    account_id: 'default',
    source: 'facebook',
    status: 'pending',
    attempt_count: 0,
    attempts_before: 2,
    next_attempt_at: MAX_INTEGER,
    leased_by: newId(),
    lease_until: null,
    fan_out: 1,
    reason: AWKWARD_TEXT,
    dead_class: null,
    created_at: 0,
    settled_at: null,
  };
}

export const sampleKey = (key: string): InsertRow<'event_keys'> => ({ key, event_id: newId(), request_id: 'r', created_at: 1 });

const sums = {
  accepted: MAX_INTEGER,
  delivered: 1,
  filtered: 0,
  duplicate: -1,
  dead: 0,
  cancelled: 0,
  pending: -MAX_INTEGER,
  door_confirmed: 0,
  door_dispatched: 0,
};

/** One row of every table, with each column set. */
export function sampleRows(): { [T in keyof Schema]: InsertRow<T> } {
  return {
    accounts: { id: AWKWARD_TEXT, name: '', created_at: MAX_INTEGER },
    account_identities: {
      channel: 'facebook',
      external_id: AWKWARD_TEXT,
      account_id: 'default',
      created_at: 1,
      credentials: AWKWARD_TEXT,
      credentials_at: MAX_INTEGER,
    },
    api_keys: { id: newId(), account_id: null, name: AWKWARD_TEXT, prefix: 'hk_', hash: 'h', created_at: 1, revoked_at: MAX_INTEGER },
    endpoints: {
      id: newId(),
      account_id: 'default',
      name: AWKWARD_TEXT,
      type: 'webhook',
      url: 'https://example.com/?a=b',
      description: '',
      headers: '{"a":"b"}',
      auth: null,
      enabled: 1,
      disabled_reason: null,
      timeout_ms: 15_000,
      max_in_flight: null,
      rate_per_second: 1,
      retry_schedule: '[1,2]',
      properties: '{}',
      secret: 'whsec_',
      previous_secret: null,
      previous_secret_until: MAX_INTEGER,
      failing_since: null,
      disable_policy: '{"kind":"never"}',
      failure_count: 2,
      created_at: 1,
      updated_at: 1,
    },
    filters: {
      id: newId(),
      account_id: 'default',
      name: AWKWARD_TEXT,
      enabled: 0,
      applications: '[]',
      event_types: '["a"]',
      levels: '[]',
      endpoint_ids: '[]',
      created_at: 1,
      updated_at: 1,
    },
    registry_changes: { kind: 'filter', key: AWKWARD_TEXT, version: MAX_INTEGER },
    registry_version: { id: 2, version: MAX_INTEGER },
    events: sampleEvent(),
    event_keys: sampleKey(AWKWARD_TEXT),
    deliveries: sampleDelivery(),
    attempts: {
      delivery_id: newId(),
      number: 1,
      at: MAX_INTEGER,
      status: 'failed',
      code: 'timeout',
      duration_ms: 15_000,
      address: null,
      response_head: ALL_BYTES,
    },
    requests: {
      id: newId(),
      at: 1,
      source: 'facebook',
      outcome: 'rejected',
      status: 401,
      code: 'signature_invalid',
      detail: AWKWARD_TEXT,
      method: 'POST',
      path: '/facebook',
      address: '::1',
      headers: '{}',
      body: ALL_BYTES,
      body_bytes: MAX_INTEGER,
      request_id: newId(),
    },
    ledger_deltas: { source: 'facebook', ...sums },
    ledger_totals: { source: AWKWARD_TEXT, ...sums },
    idempotency_keys: { account_id: 'default', key: AWKWARD_TEXT, body_hash: 'h', response: '{}', created_at: 1 },
    chores: { name: AWKWARD_TEXT, held_by: null, held_until: null, next_at: 1, state: '{}' },
    jobs: {
      id: newId(),
      kind: 'redrive',
      state: 'running',
      account_id: null,
      endpoint_id: newId(),
      filter: '{}',
      rate_per_second: 1,
      total: MAX_INTEGER,
      total_is_lower_bound: 1,
      examined: MAX_INTEGER,
      changed: 0,
      cursor: AWKWARD_TEXT,
      created_at: 1,
      updated_at: 1,
      finished_at: null,
      error: AWKWARD_TEXT,
    },
    threads: { account_id: 'default', id: AWKWARD_TEXT, channel: 'facebook', last_at: MAX_INTEGER },
    statements: {
      account_id: 'default',
      thread_id: AWKWARD_TEXT,
      at: MAX_INTEGER,
      event_id: newId(),
      author: AWKWARD_TEXT,
      own: 1,
      text: AWKWARD_TEXT,
      attachments: '[]',
    },
    affinity_sessions: { key: AWKWARD_TEXT, cookie: AWKWARD_TEXT, expires_at: MAX_INTEGER },
    otp_uses: { door: AWKWARD_TEXT, step: MAX_INTEGER, body_hash: AWKWARD_TEXT },
    otp_failures: { address: AWKWARD_TEXT, at: MAX_INTEGER, id: newId() },
    meta: { key: AWKWARD_TEXT, value: '1' },
    processes: { boot_id: newId(), started_at: 1, seen_at: MAX_INTEGER, active_from: null },
  };
}
