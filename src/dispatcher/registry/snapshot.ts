import type { Selectable } from 'kysely';
import type { SecretBox } from '../../secrets/secret-box';
import type { AccountIdentitiesTable, EndpointsTable, FiltersTable } from '../../storage/schema';
import { type EndpointRecord, fromRow } from './endpoint-record';
import { type MatchableEvent, MatchIndex } from './match-index';

export interface RegistryRows {
  endpoints: readonly Selectable<EndpointsTable>[];
  filters: readonly Selectable<FiltersTable>[];
  identities: readonly Selectable<AccountIdentitiesTable>[];
}

export interface Match {
  /** Enabled endpoints that want the event, each once. */
  endpoints: readonly EndpointRecord[];
  /** True when filters matched, but every endpoint they name is disabled. */
  disabledOnly: boolean;
}

const NOTHING: Match = { endpoints: [], disabledOnly: false };

/** Endpoints, filters and identities as they stood at one version of the registry. Never changes; a change makes a new one. */
export class RegistrySnapshot {
  private readonly endpoints: ReadonlyMap<string, EndpointRecord>;
  private readonly identities: ReadonlyMap<string, ReadonlyMap<string, string>>;
  private readonly index: MatchIndex;

  constructor(rows: RegistryRows, box: SecretBox) {
    this.endpoints = new Map(rows.endpoints.map((row) => [row.id, fromRow(row, box)]));
    this.identities = byChannel(rows.identities);
    this.index = new MatchIndex(rows.filters, this.endpoints);
  }

  match(event: MatchableEvent): Match {
    // `where` clauses belong to a filter's rest.
    const candidates = this.index.candidates(event).filter(({ rest }) => rest === undefined || rest(event));
    const [first] = candidates;
    if (first === undefined) return NOTHING;
    const endpoints = candidates.length === 1 ? first.enabled : [...new Set(candidates.flatMap((filter) => filter.enabled))];
    return { endpoints, disabledOnly: endpoints.length === 0 && candidates.some((filter) => filter.namesDisabled) };
  }

  endpoint(id: string): EndpointRecord | undefined {
    return this.endpoints.get(id);
  }

  accountOfIdentity(channel: string, externalId: string): string | undefined {
    return this.identities.get(channel)?.get(externalId);
  }
}

function byChannel(rows: RegistryRows['identities']): Map<string, Map<string, string>> {
  const channels = new Map<string, Map<string, string>>();
  for (const row of rows) {
    const accounts = channels.get(row.channel) ?? new Map<string, string>();
    channels.set(row.channel, accounts.set(row.external_id, row.account_id));
  }
  return channels;
}
