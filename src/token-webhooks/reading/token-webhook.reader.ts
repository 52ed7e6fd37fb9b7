import type { RawRequest } from '../../channels/channel';
import { cleanText } from '../../core/clean-text';
import type { IncomingEvent } from '../../core/hook-event';
import { type JsonSlice, parseJson } from '../../core/json-slice';
import { readPath, valueAt } from '../../core/field-path';
import { timeOf } from './payload-time';
import { readRoutingKey } from './routing-key';

/** The header by which consumers outside learn where in the body the time stands. */
export const TS_FIELD_HEADER = 'tsField';
/** Attributes of what we publish ourselves: put back from the dead queue, a message has them still and its routing key no more. */
export const ROUTING_KEY = 'routing-key';
export const TS_FIELD = 'ts-field';

const MAX_NAME_LENGTH = 128;

/**
 * The event of a message of `events-to-enrich`, ours or of others who publish there: its account, application and type are the words of
 * the routing key.
 * @throws GatewayError `malformed_request`, `malformed_json`, `json_too_deep` for what can never be read.
 */
export function readTokenWebhook({ attributes = {}, published, body, contentType }: RawRequest): IncomingEvent[] {
  const { accountId, datasource, event } = readRoutingKey(attributes[ROUTING_KEY] ?? published?.routingKey ?? '');
  const root = parseJson(body);
  const time = timeIn(root, attributes[TS_FIELD] ?? published?.headers[TS_FIELD_HEADER] ?? '');
  return [
    {
      accountId,
      application: cleanText(datasource, MAX_NAME_LENGTH),
      eventType: cleanText(event, MAX_NAME_LENGTH),
      ...('timestamp' in time && { timestamp: time.timestamp }),
      context: Buffer.from(JSON.stringify(time.told)),
      data: root.bytes,
      body,
      contentType,
    },
  ];
}

/** What the event's context tells of its timestamp. */
interface TimeTold {
  tsField?: string;
  timestampFrom: 'tsField' | 'received';
  /** Why the time of receipt counts. */
  reason?: string;
}

type TimeFound = { timestamp: string; told: TimeTold } | { told: TimeTold };

function timeIn(root: JsonSlice, tsField: string): TimeFound {
  if (tsField === '') return { told: { timestampFrom: 'received', reason: 'tsField is not set' } };
  const received = (reason: string): TimeFound => ({ told: { tsField, timestampFrom: 'received', reason } });
  const steps = readPath(tsField);
  if (steps === undefined) return received('tsField is no path such as commits[0].timestamp');
  const value = valueAt(root, steps);
  if (value === undefined) return received('there is no such field');
  const text = value.kind === 'number' ? value.text() : value.string();
  const timeMs = text === undefined ? undefined : timeOf(text.trim());
  if (timeMs === undefined) return received('the field holds no time that can be read');
  return { timestamp: new Date(timeMs).toISOString(), told: { tsField, timestampFrom: 'tsField' } };
}
