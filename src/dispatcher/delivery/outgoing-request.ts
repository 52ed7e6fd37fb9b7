import type { EndpointRecord } from '../registry/endpoint-record';
import type { StoredEvent } from '../stored-event';
import type { OutgoingBody } from './formats/outgoing-body';
import { rawBody } from './formats/raw';
import { standardBody } from './formats/standard';
import { outgoingHeaders } from './http/custom-headers';
import type { OutgoingRequest } from './http/http-sender';
import { signatureHeaders } from './signer';

/** What one attempt sends: the event in the endpoint's format, signed for now. */
export function requestOf(endpoint: EndpointRecord, event: StoredEvent, nowMs: number, defaultTimeoutMs: number): OutgoingRequest {
  const { body, contentType } = bodyOf(endpoint, event);
  const own = { 'content-type': contentType, 'user-agent': 'Hookline', ...signatureHeaders(event.id, body, endpoint, nowMs) };
  return { url: endpoint.url, headers: outgoingHeaders(endpoint, own), body, timeoutMs: endpoint.timeoutMs ?? defaultTimeoutMs };
}

const bodyOf = (endpoint: EndpointRecord, event: StoredEvent): OutgoingBody =>
  endpoint.properties.body === 'raw' ? rawBody(event) : standardBody(event);
