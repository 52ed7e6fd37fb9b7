import type { SecretBox } from '../../secrets/secret-box';
import { type EndpointRecord, fromRow } from './endpoint-record';
import { type EndpointRef, type IndexedFilter, type MatchableEvent, MatchIndex } from './match-index';
import type { Identity, RegistryRows } from './registry-rows';

export interface Match {
  /** Enabled endpoints that want the event, each once. */
  endpoints: readonly EndpointRecord[];
  /** True when filters matched, but every endpoint they name is disabled. */
  disabledOnly: boolean;
}

/** What is no more. */
export interface Gone {
  endpoints: readonly string[];
  filters: readonly string[];
  identities: readonly Identity[];
}

const NOTHING: Match = { endpoints: [], disabledOnly: false };
const NONE: Gone = { endpoints: [], filters: [], identities: [] };

/** Endpoints, filters and identities as they stand at one version of the registry. `apply` brings it to a later one, at once. */
export class RegistrySnapshot {
  private readonly endpoints = new Map<string, EndpointRef>();
  private readonly identities = new Map<string, Map<string, string>>();
  private readonly index = new MatchIndex();

  constructor(
    rows: RegistryRows,
    private readonly box: SecretBox,
  ) {
    this.apply(rows);
  }

  /** Costs by the number of rows given, whatever the number there is. */
  apply(rows: RegistryRows, gone: Gone = NONE): void {
    for (const row of rows.endpoints) this.refOf(row.id).record = fromRow(row, this.box);
    for (const id of gone.endpoints) this.refOf(id).record = undefined;
    for (const row of rows.filters) this.index.set(row, (id) => this.refOf(id));
    for (const id of gone.filters) this.index.remove(id);
    for (const { channel, external_id, account_id } of rows.identities) {
      const accounts = this.identities.get(channel) ?? new Map<string, string>();
      this.identities.set(channel, accounts.set(external_id, account_id));
    }
    for (const { channel, externalId } of gone.identities) this.identities.get(channel)?.delete(externalId);
  }

  match(event: MatchableEvent): Match {
    // `where` clauses belong to a filter's rest.
    const candidates = this.index.candidates(event);
    if (candidates.length === 0) return NOTHING;
    const endpoints = new Set<EndpointRecord>();
    let namesDisabled = false;
    for (const filter of candidates) {
      if (filter.rest === undefined || filter.rest(event)) namesDisabled = addEnabled(filter, endpoints) || namesDisabled;
    }
    return { endpoints: [...endpoints], disabledOnly: endpoints.size === 0 && namesDisabled };
  }

  endpoint(id: string): EndpointRecord | undefined {
    return this.endpoints.get(id)?.record;
  }

  accountOfIdentity(channel: string, externalId: string): string | undefined {
    return this.identities.get(channel)?.get(externalId);
  }

  private refOf(id: string): EndpointRef {
    let ref = this.endpoints.get(id);
    if (!ref) this.endpoints.set(id, (ref = { record: undefined }));
    return ref;
  }
}

/** @returns whether it names a disabled one. */
function addEnabled(filter: IndexedFilter, endpoints: Set<EndpointRecord>): boolean {
  let namesDisabled = false;
  for (const { record } of filter.endpoints) {
    if (record?.accountId !== filter.accountId) continue;
    if (record.enabled) endpoints.add(record);
    else namesDisabled = true;
  }
  return namesDisabled;
}
