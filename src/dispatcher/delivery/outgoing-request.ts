import type { EndpointRecord } from '../registry/endpoint-record';
import type { StoredEvent } from '../stored-event';
import type { OutgoingBody } from './formats/outgoing-body';
import { rawBody } from './formats/raw';
import { standardBody } from './formats/standard';
import { outgoingHeaders } from './http/custom-headers';
import type { OutgoingRequest } from './http/http-sender';
import { signatureHeaders } from './signer';

const USER_AGENT = 'Hookline';

/** What one attempt sends: the event in the endpoint's format, signed for now. */
export function requestOf(endpoint: EndpointRecord, event: StoredEvent, nowMs: number, defaultTimeoutMs: number): OutgoingRequest {
  const { body, contentType } = bodyOf(endpoint, event);
  const signed = signatureHeaders(event.id, body, endpoint, nowMs);
  return { url: endpoint.url, headers: headersOf(endpoint, contentType, signed), body, timeoutMs: endpoint.timeoutMs ?? defaultTimeoutMs };
}

const bodyOf = (endpoint: EndpointRecord, event: StoredEvent): OutgoingBody =>
  endpoint.properties.body === 'raw' ? rawBody(event) : standardBody(event);

/** Most endpoints ask for no header of their own: nothing is compared for those. */
function headersOf(endpoint: EndpointRecord, contentType: string, signed: ReturnType<typeof signatureHeaders>): string[] {
  if (endpoint.auth === null && isEmpty(endpoint.headers)) {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = signed;
    const own = ['webhook-id', id, 'webhook-timestamp', timestamp, 'webhook-signature', signature];
    return ['content-type', contentType, 'user-agent', USER_AGENT, ...own];
  }
  return outgoingHeaders(endpoint, { 'content-type': contentType, 'user-agent': USER_AGENT, ...signed });
}

function isEmpty(record: object): boolean {
  for (const name in record) if (Object.hasOwn(record, name)) return false;
  return true;
}
