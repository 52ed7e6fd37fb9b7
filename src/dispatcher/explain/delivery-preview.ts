import { Injectable } from '@nestjs/common';
import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../../core/errors';
import type { OutgoingRequest } from '../delivery/http/http-sender';
import { requestOf } from '../delivery/outgoing-request';
import { RequestBuilders, UnsendableError } from '../delivery/request-builders';
import type { EndpointRecord } from '../registry/endpoint-record';
import { shownHeader } from '../registry/endpoint-rules';
import type { StoredEvent } from '../stored-event';
import type { DeliveryPreviewDto } from './explain.dto';

/** Bytes of a body that are shown. */
const SHOWN_BYTES = 65_536;
const TIMEOUT_MS = 15_000;
const OWN_SIGNATURE = 'webhook-signature';

/** Makes the requests that an event would cause, as an attempt makes them, and sends none. */
@Injectable()
export class DeliveryPreview {
  constructor(private readonly builders: RequestBuilders) {}

  async of(endpoint: EndpointRecord, event: StoredEvent): Promise<DeliveryPreviewDto> {
    const { id: endpointId, name, type, url } = endpoint;
    const shown = { endpointId, name, type, url };
    // What is made for the operator's systems is the operator's alone: it may hold what other accounts' people said.
    if (endpoint.properties['managedBy'] !== undefined) return { ...shown, ...NOTHING, problem: 'managed_by_settings' };
    try {
      return { ...shown, ...view(await this.build(endpoint, event)), problem: null };
    } catch (error) {
      if (error instanceof UnsendableError || error instanceof GatewayError) return { ...shown, ...NOTHING, problem: error.code };
      return { ...shown, ...NOTHING, problem: 'event_unreadable' };
    }
  }

  private async build(endpoint: EndpointRecord, event: StoredEvent): Promise<OutgoingRequest> {
    if (endpoint.type === 'webhook') return requestOf(endpoint, event, Date.now(), TIMEOUT_MS);
    return this.builders.build(endpoint, event, endpoint.timeoutMs ?? TIMEOUT_MS);
  }
}

const NOTHING = { headers: {}, body: null, bodyEncoding: null, bodyBytes: 0 } as const;

/** The signature is of this one body, and worth nothing for another; passwords, tokens and headers named like them are not shown. */
function view({ headers, body }: OutgoingRequest): Pick<DeliveryPreviewDto, 'headers' | 'body' | 'bodyEncoding' | 'bodyBytes'> {
  const shown: [name: string, value: string][] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name, value] = [headers[at] as string, headers[at + 1] as string];
    const isSecret = /otp/i.test(name);
    shown.push([name, name === OWN_SIGNATURE ? value : isSecret ? '***' : shownHeader(name, value)]);
  }
  const head = body.subarray(0, SHOWN_BYTES);
  const isText = isUtf8(body);
  return {
    headers: Object.fromEntries(shown),
    body: head.toString(isText ? 'utf8' : 'base64'),
    bodyEncoding: isText ? 'utf8' : 'base64',
    bodyBytes: body.length,
  };
}
