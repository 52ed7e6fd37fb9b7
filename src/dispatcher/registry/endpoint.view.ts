import { type EndpointRecord, faultOf, readable } from './endpoint-record';
import { shownHeaders } from './endpoint-rules';
import type { EndpointDto, EndpointWithSecretDto, ShownAuthDto } from './endpoints.dto';

/** What is shown of an endpoint: neither secrets nor tokens, and of what is damaged nothing. */
export const viewEndpoint = (endpoint: EndpointRecord, nowMs: number = Date.now()): EndpointDto => ({
  id: endpoint.id,
  accountId: endpoint.accountId,
  name: endpoint.name,
  type: endpoint.type,
  url: endpoint.url,
  description: endpoint.description,
  headers: shownHeaders(readable(() => endpoint.headers) ?? {}),
  auth: viewAuth(readable(() => endpoint.auth) ?? null),
  enabled: endpoint.enabled,
  disabledReason: endpoint.disabledReason,
  disablePolicy: endpoint.disablePolicy,
  failingSince: endpoint.failingSince === null ? null : new Date(endpoint.failingSince).toISOString(),
  failureCount: endpoint.failureCount,
  fault: faultOf(endpoint),
  timeoutMs: endpoint.timeoutMs,
  maxInFlight: endpoint.maxInFlight,
  ratePerSecond: endpoint.ratePerSecond,
  retrySchedule: endpoint.retrySchedule,
  properties: endpoint.properties,
  previousSecretUntil:
    endpoint.previousSecretUntil !== null && endpoint.previousSecretUntil > nowMs
      ? new Date(endpoint.previousSecretUntil).toISOString()
      : null,
  createdAt: new Date(endpoint.createdAt).toISOString(),
  updatedAt: new Date(endpoint.updatedAt).toISOString(),
});

export const viewWithSecret = (endpoint: EndpointRecord): EndpointWithSecretDto => ({ ...viewEndpoint(endpoint), secret: endpoint.secret });

function viewAuth(auth: EndpointRecord['auth']): ShownAuthDto | null {
  if (auth === null) return null;
  return auth['type'] === 'basic' ? { type: 'basic', username: String(auth['username']) } : { type: 'bearer' };
}
