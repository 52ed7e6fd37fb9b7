import { GatewayError } from '../../core/errors';
import { type JsonSlice, parseJson } from '../../core/json-slice';

/** What every webhook of Webex has; the rest differs by the resource. */
export interface WebexEnvelope {
  root: JsonSlice;
  resource: string;
  event: string;
}

/**
 * Webex sends nothing else; what is something else may be of a version to come, so the sender is told.
 * @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`.
 */
export function openEnvelope(body: Buffer): WebexEnvelope {
  const root = parseJson(body);
  const resource = root.member('resource')?.string();
  const event = root.member('event')?.string();
  if (!resource || !event) throw new GatewayError('malformed_request', 'The body is no object with "resource" and "event"');
  return { root, resource, event };
}
