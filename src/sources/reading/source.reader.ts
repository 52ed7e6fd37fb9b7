import { isUtf8 } from 'node:buffer';
import type { RawRequest } from '../../channels/channel';
import { cleanText } from '../../core/clean-text';
import { GatewayError } from '../../core/errors';
import type { IncomingEvent } from '../../core/hook-event';
import { sliceJson } from '../../core/json-slice';
import { locate, readLocator } from '../../presets/locator';
import type { PresetEvent, PresetMessage, Reading } from '../../presets/preset';
import { findPreset } from '../../presets/presets';
import { dedupeKeyOf } from '../../presets/reading';
import { HEADERS_ATTRIBUTE, type SourceTag, readHeaders } from './source-tag';

/** Of an event that nobody names. */
export const DEFAULT_EVENT_TYPE = 'webhook';

/** What RFC 9110 lets one take for a body of no type. */
const NO_TYPE = 'application/octet-stream';

/**
 * The events of a request to a source. What its preset cannot read was accepted and verified all the same: it is one event, its data a
 * text of the body, and its context says why.
 * @throws GatewayError `malformed_request` for a message that no door has written.
 */
export function readSourceRequest(request: RawRequest, tag: SourceTag): IncomingEvent[] {
  const preset = findPreset(tag.type);
  if (preset === undefined) throw new GatewayError('malformed_request', `There is no preset ${tag.type.slice(0, 64)}`);
  const headers = readHeaders(request.attributes?.[HEADERS_ATTRIBUTE]);
  const message: PresetMessage = { headers, contentType: request.contentType, body: request.body };
  const found = readOrKeep(preset.reading, message);
  const textAt = (place: string | undefined, { data }: PresetEvent): string | undefined => {
    const locator = place === undefined ? undefined : readLocator(place);
    return locator && locate(locator, headers, () => sliceJson(data));
  };
  const isWhole = found.length === 1;
  return found.map((event) => ({
    accountId: tag.accountId,
    application: tag.application,
    eventType: cleanText(event.eventType ?? textAt(tag.eventTypeFrom, event) ?? '', 128) || DEFAULT_EVENT_TYPE,
    ...withNote(event, message),
    data: event.data,
    body: isWhole ? request.body : event.data,
    contentType: isWhole ? request.contentType || NO_TYPE : 'application/json',
    ...(event.timestamp !== undefined && { timestamp: event.timestamp }),
    ...withKey(event.dedupeKey ?? dedupeKeyOf(textAt(tag.dedupeFrom, event) ?? '')),
  }));
}

function readOrKeep(reading: Reading, message: PresetMessage): PresetEvent[] {
  try {
    return reading.read(message);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const context = Buffer.from(JSON.stringify({ unreadable: error.code, ...encodingOf(message.body) }));
    return [{ data: textOf(message.body), context }];
  }
}

const withKey = (dedupeKey: string): Pick<IncomingEvent, 'dedupeKey'> => (dedupeKey === '' ? {} : { dedupeKey });

/** Says of data in base64 that it is, where the preset does not. */
function withNote({ context, data }: PresetEvent, { body }: PresetMessage): Pick<IncomingEvent, 'context'> {
  if (context !== undefined) return { context };
  if (isUtf8(body) || !data.equals(textOf(body))) return {};
  return { context: Buffer.from(JSON.stringify(encodingOf(body))) };
}

const encodingOf = (body: Buffer): { encoding?: 'base64' } => (isUtf8(body) ? {} : { encoding: 'base64' });

const textOf = (body: Buffer): Buffer => Buffer.from(JSON.stringify(isUtf8(body) ? body.toString('utf8') : body.toString('base64')));
