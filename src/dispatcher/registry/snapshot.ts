import { GatewayError } from '../../core/errors';
import type { SecretBox } from '../../secrets/secret-box';
import { type EndpointRecord, fromRow } from './endpoint-record';
import type { Leaf } from './leaf';
import { type EndpointRef, type IndexedFilter, type MatchableEvent, type NamedEvent, MatchIndex } from './match-index';
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

interface Result {
  generation: number;
  match: Match;
}

const NOTHING: Match = { endpoints: [], disabledOnly: false };
const NONE: Gone = { endpoints: [], filters: [], identities: [] };

/** Endpoints, filters and identities as they stand at one version of the registry. `apply` brings it to a later one, at once. */
export class RegistrySnapshot {
  private readonly endpoints = new Map<string, EndpointRef>();
  private readonly identities = new Map<string, Map<string, string>>();
  private readonly index = new MatchIndex<Result>();
  /** Of the endpoints: what was found with others is out of date. */
  private generation = 0;

  constructor(
    rows: RegistryRows,
    private readonly box: SecretBox,
  ) {
    this.apply(rows);
  }

  /** Costs by the number of rows given, whatever the number there is. */
  apply(rows: RegistryRows, gone: Gone = NONE): void {
    if (rows.endpoints.length > 0 || gone.endpoints.length > 0) this.generation += 1;
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

  /** @throws GatewayError `storage_unavailable` while an endpoint that the event is for is not known here yet. */
  match(event: MatchableEvent): Match {
    const match = this.matchFilters(event);
    return event.to === undefined ? match : this.withNamed(match, event.to);
  }

  /** Whether a filter may want such an event, whatever stands in it. */
  mayMatch(event: NamedEvent): boolean {
    return this.index.leaves(event).length > 0;
  }

  /** Whether it depends on what stands in the event who wants it. */
  isContentAsked(event: NamedEvent): boolean {
    return this.index.leaves(event).some((leaf) => leaf.isOpen);
  }

  private matchFilters(event: MatchableEvent): Match {
    const leaves = this.index.leaves(event);
    const [only] = leaves;
    if (only === undefined) return NOTHING;
    if (leaves.length === 1) return this.matchOf(only, event);
    const endpoints = new Set<EndpointRecord>();
    let disabledOnly = false;
    for (const leaf of leaves) {
      const match = this.matchOf(leaf, event);
      for (const endpoint of match.endpoints) endpoints.add(endpoint);
      disabledOnly ||= match.disabledOnly;
    }
    return { endpoints: [...endpoints], disabledOnly: endpoints.size === 0 && disabledOnly };
  }

  endpoint(id: string): EndpointRecord | undefined {
    return this.endpoints.get(id)?.record;
  }

  accountOfIdentity(channel: string, externalId: string): string | undefined {
    return this.identities.get(channel)?.get(externalId);
  }

  /** Worked out once for all events that come to the leaf, as far as its filters ask no more of each. */
  private matchOf(leaf: Leaf<Result>, event: MatchableEvent): Match {
    if (leaf.result?.generation !== this.generation) leaf.result = { generation: this.generation, match: matchOf(leaf.plain) };
    const { match } = leaf.result;
    const asked = leaf.isOpen ? leaf.matching(event) : [];
    return asked.length === 0 ? match : together(match, matchOf(asked));
  }

  private withNamed(match: Match, ids: readonly string[]): Match {
    const endpoints = new Set(match.endpoints);
    let { disabledOnly } = match;
    for (const id of ids) {
      const endpoint = this.endpoint(id);
      // Another process has just made it: to leave the event to the filters alone would be to lose it.
      if (!endpoint) throw new GatewayError('storage_unavailable', `Endpoint ${id} has not been read yet`);
      if (endpoint.enabled) endpoints.add(endpoint);
      else disabledOnly = true;
    }
    return { endpoints: [...endpoints], disabledOnly: endpoints.size === 0 && disabledOnly };
  }

  private refOf(id: string): EndpointRef {
    let ref = this.endpoints.get(id);
    if (!ref) this.endpoints.set(id, (ref = { record: undefined }));
    return ref;
  }
}

function together(a: Match, b: Match): Match {
  const endpoints = new Set([...a.endpoints, ...b.endpoints]);
  return { endpoints: [...endpoints], disabledOnly: endpoints.size === 0 && (a.disabledOnly || b.disabledOnly) };
}

function matchOf(filters: Iterable<IndexedFilter>): Match {
  const endpoints = new Set<EndpointRecord>();
  let namesDisabled = false;
  for (const filter of filters) {
    for (const { record } of filter.endpoints) {
      if (record?.accountId !== filter.accountId) continue;
      if (record.enabled) endpoints.add(record);
      else namesDisabled = true;
    }
  }
  return { endpoints: [...endpoints], disabledOnly: endpoints.size === 0 && namesDisabled };
}
