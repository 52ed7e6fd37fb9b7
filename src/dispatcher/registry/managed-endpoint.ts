import { DEFAULT_ACCOUNT } from '../../core/account-id';
import { GatewayError } from '../../core/errors';
import { type EndpointRecord, newEndpoint } from './endpoint-record';
import { newSecret } from './endpoint-rules';

/** An endpoint that the settings make: events are sent to it by its id, and how they are sent depends on its type. */
export interface ManagedEndpoint {
  /** The same in every installation. */
  id: string;
  type: string;
  name: string;
  url: string;
  description: string;
  /** The setting that names its URL. */
  managedBy: string;
}

/** What of its row the settings decide. It is never given up for failing: nobody could enable it. */
export const managedFields = ({ type, name, url, description, managedBy }: ManagedEndpoint) => ({
  type,
  name,
  url,
  description,
  properties: { managedBy },
  enabled: true,
  disabledReason: null,
  disablePolicy: { kind: 'never' } as const,
});

export const newManagedEndpoint = (endpoint: ManagedEndpoint, nowMs: number): EndpointRecord => ({
  ...newEndpoint(DEFAULT_ACCOUNT, endpoint.url, newSecret(), nowMs),
  ...managedFields(endpoint),
  id: endpoint.id,
});

/** @throws GatewayError `conflict`. */
export function assertNotManaged({ properties }: Pick<EndpointRecord, 'properties'>): void {
  const { managedBy } = properties;
  if (typeof managedBy !== 'string') return;
  throw new GatewayError('conflict', `The setting ${managedBy} makes this endpoint: change that, and restart`);
}
