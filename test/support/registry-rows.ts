import { newId } from '../../src/core/ids';
import type { EndpointsTable, FiltersTable } from '../../src/storage/schema';
import type { Selectable } from 'kysely';

export type EndpointRow = Selectable<EndpointsTable>;
export type FilterRow = Selectable<FiltersTable>;

/** An enabled endpoint of the account `default`. */
export const endpointRow = (changes: Partial<EndpointRow> = {}): EndpointRow => ({
  id: newId(),
  account_id: 'default',
  name: 'receiver',
  type: 'webhook',
  url: 'https://receiver.example/hook',
  description: '',
  headers: '{}',
  auth: null,
  enabled: 1,
  disabled_reason: null,
  timeout_ms: null,
  max_in_flight: null,
  rate_per_second: null,
  retry_schedule: null,
  properties: '{}',
  secret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0',
  previous_secret: null,
  previous_secret_until: null,
  failing_since: null,
  disable_policy: null,
  failure_count: 0,
  created_at: 1,
  updated_at: 1,
  ...changes,
});

export interface FilterWishes {
  applications?: string[];
  eventTypes?: string[];
  levels?: string[];
  where?: object;
  endpoints?: EndpointRow[];
  accountId?: string;
  enabled?: boolean;
}

/** An enabled filter of the account `default` that wants everything, unless wishes say otherwise. */
export const filterRow = (wishes: FilterWishes = {}): FilterRow => ({
  id: newId(),
  account_id: wishes.accountId ?? 'default',
  name: 'filter',
  enabled: wishes.enabled === false ? 0 : 1,
  applications: JSON.stringify(wishes.applications ?? []),
  event_types: JSON.stringify(wishes.eventTypes ?? []),
  levels: JSON.stringify(wishes.levels ?? []),
  where: wishes.where === undefined ? null : JSON.stringify(wishes.where),
  endpoint_ids: JSON.stringify((wishes.endpoints ?? []).map((endpoint) => endpoint.id)),
  created_at: 1,
  updated_at: 1,
});
