import { GatewayError } from '../../core/errors';
import { checkedJson } from '../../core/json-slice';

/** How many items of which page a request holds. */
export interface PageLoad {
  /** Undefined when the entry does not say. */
  pageId: string | undefined;
  items: number;
}

/**
 * What the door has to know of a request: that it can be read, and whose it is. Everything else is left to the parser.
 * @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`.
 */
export function readPageLoads(body: Buffer): PageLoad[] {
  const entry = memberOf(checkedJson(body), 'entry');
  if (!Array.isArray(entry)) throw notAnEnvelope();
  return entry.map((page: unknown) => {
    const id = memberOf(page, 'id');
    return {
      pageId: typeof id === 'string' || typeof id === 'number' ? String(id) : undefined,
      items: lengthOf(page, 'messaging') + lengthOf(page, 'standby') + changesOf(page),
    };
  });
}

/** Meta sends nothing else; what is something else may be of a version to come, so the sender is told, and sends it again. */
export const notAnEnvelope = (): GatewayError => new GatewayError('malformed_request', 'The body is no object with an array "entry"');

function changesOf(page: unknown): number {
  const changes = memberOf(page, 'changes');
  if (!Array.isArray(changes)) return 0;
  let items = 0;
  for (const change of changes) {
    const value = memberOf(change, 'value');
    items += Math.max(1, lengthOf(value, 'messages') + lengthOf(value, 'statuses'));
  }
  return items;
}

function lengthOf(value: unknown, key: string): number {
  const member = memberOf(value, key);
  return Array.isArray(member) ? member.length : 0;
}

const memberOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
