import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../../core/errors';
import { type JsonSlice, joinObject, parseJson } from '../../core/json-slice';
import { mediaTypeOf } from '../../core/media-type';
import type { PresetEvent, PresetMessage } from '../preset';
import { bounded, presetEvent, timestampOf } from '../reading';
import { isJsonType, openBody } from '../request/body';
import { decodeHeaderValue } from './header-value';

const BATCH = 'application/cloudevents-batch';
const STRUCTURED = 'application/cloudevents';
const HEADER = /^ce-[a-z0-9]+$/;
const ATTRIBUTE = /^[a-z0-9]+$/;
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;
const BASE64 = /^"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"$/;
const NULL = Buffer.from('null');

/**
 * The events of a request by the HTTP binding of CloudEvents 1.0: binary, structured or a batch, told by the content type. Data and
 * attributes are the sender's bytes; `data_base64` stays base64, and the context says so. (source, id) is the key.
 * @param message Its headers: all that begin with `ce-`.
 * @throws GatewayError `malformed_json`, `malformed_request`, `json_too_deep`, `unsupported_media_type`, `body_too_large` for more than
 *   1,000 events.
 */
export function readCloudEvents(message: PresetMessage): PresetEvent[] {
  const mediaType = mediaTypeOf(message.contentType);
  if (mediaType.startsWith(BATCH)) return batch(parseAs(BATCH, mediaType, message.body)).map(structured);
  if (mediaType.startsWith(STRUCTURED)) return [structured(parseAs(STRUCTURED, mediaType, message.body))];
  return [binary(message, mediaType)];
}

function parseAs(mode: string, mediaType: string, body: Buffer): JsonSlice {
  if (mediaType !== mode && mediaType !== `${mode}+json`) {
    throw new GatewayError('unsupported_media_type', 'CloudEvents are taken in JSON only');
  }
  return parseJson(body);
}

function batch(root: JsonSlice): readonly JsonSlice[] {
  if (root.kind !== 'array') throw new GatewayError('malformed_request', 'A batch must be a list of CloudEvents');
  return bounded(root.elements());
}

function structured(item: JsonSlice): PresetEvent {
  if (item.kind !== 'object') throw new GatewayError('malformed_request', 'A CloudEvent must be an object');
  const members = item.members();
  const data = members.get('data');
  const encoded = members.get('data_base64');
  if (data !== undefined && encoded !== undefined)
    throw new GatewayError('malformed_request', 'An event has data or data_base64, not both');
  if (encoded !== undefined && !BASE64.test(encoded.text())) throw new GatewayError('malformed_request', 'data_base64 is not base64');
  const attributes = [...members].filter(([name]) => ATTRIBUTE.test(name) && name !== 'data');
  const context = Object.fromEntries(attributes.map(([name, value]) => [name, value.bytes]));
  return eventOf((name) => members.get(name)?.string(), {
    data: (data ?? encoded)?.bytes ?? NULL,
    context: joinObject({ ...context, ...(encoded !== undefined && ENCODED) }),
  });
}

function binary(message: PresetMessage, mediaType: string): PresetEvent {
  const attributes = new Map<string, string>();
  for (const [name, value] of Object.entries(message.headers)) {
    if (HEADER.test(name)) attributes.set(name.slice('ce-'.length), decodeHeaderValue(name, value));
  }
  const { contentType, body } = message;
  if (contentType !== '') attributes.set('datacontenttype', contentType);
  const context = Object.fromEntries([...attributes].map(([name, value]) => [name, Buffer.from(JSON.stringify(value))]));
  const isEncoded = !isJsonType(mediaType) && !isUtf8(body);
  return eventOf((name) => attributes.get(name), {
    data: openBody(message).root.bytes,
    context: joinObject({ ...context, ...(isEncoded && ENCODED) }),
  });
}

/** In the context; no attribute of an event's own has that name in the specification. */
const ENCODED = { encoding: Buffer.from('"base64"') };

function eventOf(attribute: (name: string) => string | undefined, rest: { data: Buffer; context: Buffer }): PresetEvent {
  const [specversion, id, source, type] = REQUIRED.map((name) => {
    const text = attribute(name);
    if (text === undefined || text === '') throw new GatewayError('malformed_request', `The CloudEvent has no ${name}`);
    return text;
  }) as [string, string, string, string];
  if (specversion !== '1.0') throw new GatewayError('malformed_request', 'The specversion must be 1.0');
  return presetEvent({
    ...rest,
    eventType: type,
    dedupeKey: JSON.stringify([source, id]),
    timestamp: timestampOf(attribute('time')),
  });
}
