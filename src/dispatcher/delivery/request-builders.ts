import { Injectable } from '@nestjs/common';
import type { EndpointRecord } from '../registry/endpoint-record';
import type { StoredEvent } from '../stored-event';
import type { OutgoingRequest } from './http/http-sender';

/**
 * Makes what one attempt to an endpoint of another type than `webhook` sends, anew at each.
 * @throws UnsendableError: the attempt has failed, and is judged as any other; GatewayError of a part that is away: it was none, and is
 *   made when the part is back; anything else: the event is no such thing as this type sends.
 */
export type RequestBuilder = (endpoint: EndpointRecord, event: StoredEvent, timeoutMs: number) => Promise<OutgoingRequest>;

/** Nothing can be sent yet. Its code is the attempt's; retry-policy.ts knows it as a fault of ours. */
export class UnsendableError extends Error {
  override readonly name = 'UnsendableError';

  constructor(readonly code: 'not_configured' | 'thread_not_found') {
    super(code);
  }
}

/** How requests of each type are made; what is above the dispatcher brings types of its own. */
@Injectable()
export class RequestBuilders {
  private readonly byType = new Map<string, RequestBuilder>();

  register(type: string, builder: RequestBuilder): void {
    this.byType.set(type, builder);
  }

  build(endpoint: EndpointRecord, event: StoredEvent, timeoutMs: number): Promise<OutgoingRequest> {
    const builder = this.byType.get(endpoint.type);
    // Nobody here knows the type: whoever brings it is switched off or not there.
    if (!builder) throw new UnsendableError('not_configured');
    return builder(endpoint, event, timeoutMs);
  }
}
