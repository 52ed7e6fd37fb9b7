import { createHash } from 'node:crypto';
import { cleanText } from '../../core/clean-text';
import type { IncomingEvent } from '../../core/hook-event';
import { type JsonSlice, joinObject } from '../../core/json-slice';
import { webexId } from '../../core/webex-id';
import { type WebexEnvelope, openEnvelope } from './webex.envelope';
import { WEBEX } from './webex.signature';
import { statementOf } from './webex.statement';

type Slice = JsonSlice | undefined;

const NO_DATA = Buffer.from('null');

/** What happens to a resource once; anything else may happen to it again. */
const ONCE: ReadonlySet<string> = new Set(['created', 'deleted']);

/** Resources whose `personId` is who made them; a membership's is who is a member. */
const MADE_BY_PERSON: ReadonlySet<string> = new Set(['messages', 'attachmentActions']);

const ISO_8601 = /^\d{4}-\d\d-\d\dT[\d:.]{5,18}(Z|[+-]\d\d:?\d\d)$/;

/**
 * A webhook of Webex is one event.
 * @param bots Ids of the bots that read these events, as `webexId` writes them.
 * @throws GatewayError `json_too_deep`, `malformed_json`, `malformed_request`.
 */
export function parseWebex(body: Buffer, contentType: string, bots: ReadonlySet<string>): IncomingEvent {
  const envelope = openEnvelope(body);
  const { root, resource, event } = envelope;
  const data = root.member('data');
  const isOwn = bots.size > 0 && doersOf(envelope, data).some((id) => bots.has(webexId(id)));
  const timestamp = timestampOf(event, data);
  const dedupeKey = keyOf(envelope, data);
  return {
    application: WEBEX,
    eventType: cleanText(`${resource}.${event}`, 128),
    context: contextOf(root),
    data: data?.bytes ?? NO_DATA,
    body,
    contentType,
    ...identityOf(root),
    ...(timestamp !== undefined && { timestamp }),
    ...(dedupeKey !== undefined && { dedupeKey }),
    ...(isOwn && { withheld: 'own_bot' as const }),
    statement: () => statementOf(envelope, data, isOwn),
  };
}

/** What stands around `data`, by Webex's own names but for the webhook's id. */
function contextOf(root: JsonSlice): Buffer {
  const bytes = (key: string): Buffer | undefined => root.member(key)?.bytes;
  return joinObject({
    webhookId: bytes('id'),
    name: bytes('name'),
    resource: bytes('resource'),
    event: bytes('event'),
    filter: bytes('filter'),
    orgId: bytes('orgId'),
    createdBy: bytes('createdBy'),
    appId: bytes('appId'),
    ownedBy: bytes('ownedBy'),
    actorId: bytes('actorId'),
  });
}

/** Whose webhook it is: the bot or person that created it, else the organization. */
function identityOf(root: JsonSlice): Pick<IncomingEvent, 'identity'> {
  const ids = [root.member('createdBy'), root.member('orgId')].map((id) => id?.string()).filter((id) => id !== undefined && id !== '');
  const [externalId, ...fallbackIds] = ids.map((id) => cleanText(id!, 256));
  return externalId === undefined ? {} : { identity: { channel: WEBEX, externalId, fallbackIds } };
}

function doersOf({ root, resource, event }: WebexEnvelope, data: Slice): string[] {
  const doers = [root.member('actorId')?.string()];
  if (event === 'created' && MADE_BY_PERSON.has(resource)) doers.push(data?.member('personId')?.string());
  return doers.filter((id) => id !== undefined);
}

/** `created` tells when the resource was made, which is not when something else happened to it. */
function timestampOf(event: string, data: Slice): string | undefined {
  if (event !== 'created' && event !== 'updated') return undefined;
  const text = data?.member(event)?.string();
  const timeMs = text !== undefined && ISO_8601.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(timeMs) ? undefined : new Date(timeMs).toISOString();
}

/**
 * Two webhooks tell of the same as two events. What may happen again to the same resource is known by its time alone; and a member
 * who left and came back has the same id, since it is made of the person's and the room's.
 */
function keyOf({ root, resource, event }: WebexEnvelope, data: Slice): string | undefined {
  const id = data?.member('id');
  const updated = data?.member('updated');
  if (id?.string() === undefined || (updated === undefined && !ONCE.has(event))) return undefined;
  // No JSON text holds a NUL, so the parts cannot run into one another.
  const hash = createHash('sha256');
  for (const part of [root.member('id'), id, data?.member('created'), updated]) hash.update(part?.bytes ?? '').update('\0');
  return `${cleanText(`${resource}.${event}`, 128)}#${hash.digest('base64url')}`;
}
