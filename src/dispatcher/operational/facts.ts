import { DEFAULT_ACCOUNT } from '../../core/account-id';
import type { DeadClass } from '../delivery/retry-policy';
import { GATEWAY_APPLICATION } from '../registry/match-index';

/** The ledger's source of operational events, and the application that they are published under. */
export const OPERATIONAL_SOURCE = GATEWAY_APPLICATION;

/** Something that the gateway tells of itself. What its event says is documented in docs/api.md. */
export interface OperationalFact {
  /** Whose filters are asked. */
  accountId: string;
  eventType: 'endpoint.disabled' | 'endpoint.recovered' | 'delivery.dead' | 'ledger.imbalance';
  data: Record<string, unknown>;
}

/** What is told of an endpoint: nothing that lets anyone call it in our name. */
export interface ToldEndpoint {
  id: string;
  accountId: string;
  name: string;
  url: string;
  /** In milliseconds since 1970. */
  failingSince: number | null;
}

export const endpointDisabled = (endpoint: ToldEndpoint, reason: string): OperationalFact =>
  aboutEndpoint('endpoint.disabled', endpoint, reason);

/** `succeeded`: the first success after a minute or more of nothing but failures; `enabled`: somebody enabled it. */
export const endpointRecovered = (endpoint: ToldEndpoint, reason: 'succeeded' | 'enabled'): OperationalFact =>
  aboutEndpoint('endpoint.recovered', endpoint, reason);

/** What a change by a person makes of it; nothing where it stays enabled or disabled. */
export function switchFacts(
  before: ToldEndpoint & { enabled: boolean },
  after: ToldEndpoint & { enabled: boolean; disabledReason: string | null },
): OperationalFact[] {
  if (before.enabled === after.enabled) return [];
  const told = { ...after, failingSince: before.failingSince };
  return [after.enabled ? endpointRecovered(told, 'enabled') : endpointDisabled(told, after.disabledReason ?? 'manual')];
}

export interface DeadDelivery {
  deliveryId: string;
  eventId: string;
  endpointId: string;
  /** Of its event. */
  source: string;
  attemptCount: number;
  code: string;
  deadClass: DeadClass;
}

/** @param event Undefined where the event is no more. */
export function deliveryDead(
  { source: _, ...dead }: DeadDelivery,
  accountId: string,
  event: { application: string; eventType: string } | undefined,
): OperationalFact {
  const of = { application: event?.application ?? null, eventType: event?.eventType ?? null };
  return { accountId, eventType: 'delivery.dead', data: { ...dead, ...of } };
}

/** Concerns the whole installation, so it is told to the account `default`. */
export const ledgerImbalance = (data: Record<string, unknown>): OperationalFact => ({
  accountId: DEFAULT_ACCOUNT,
  eventType: 'ledger.imbalance',
  data,
});

function aboutEndpoint(eventType: OperationalFact['eventType'], endpoint: ToldEndpoint, reason: string): OperationalFact {
  const failingSince = endpoint.failingSince === null ? null : new Date(endpoint.failingSince).toISOString();
  const data = { endpointId: endpoint.id, name: endpoint.name, url: withoutQuery(endpoint.url), reason, failingSince };
  return { accountId: endpoint.accountId, eventType, data };
}

/** Receivers put tokens there. */
function withoutQuery(text: string): string {
  const url = new URL(text);
  url.search = '';
  url.hash = '';
  return url.href;
}
