import { createHash } from 'node:crypto';
import type { IncomingEvent } from '../../core/hook-event';
import type { RawRequest } from '../channel';
import { type HandoverRequest, readHandover } from './automate.request';
import { AUTOMATE, STEP_ATTRIBUTE } from './automate.signature';
import { HANDOVER_ENDPOINT } from './handover/endpoints';

/** One event a request. @throws GatewayError as `readHandover` does. */
export function parseAutomate({ body, contentType, attributes }: RawRequest): IncomingEvent {
  const handover = readHandover(body);
  const { companyId, requestedAt } = handover;
  const dedupeKey = keyOf(handover, body, attributes?.[STEP_ATTRIBUTE]);
  return {
    application: AUTOMATE,
    eventType: 'handover',
    data: body,
    body,
    contentType,
    to: [HANDOVER_ENDPOINT],
    ...(companyId != null && { identity: { channel: AUTOMATE, externalId: String(companyId) } }),
    ...(requestedAt != null && { timestamp: new Date(requestedAt).toISOString() }),
    ...(dedupeKey !== undefined && { dedupeKey }),
  };
}

/**
 * A request that says when it was made is the same whenever it is sent again. One that does not is the same by the same code only: its
 * thread may be handed over again with the same words.
 */
function keyOf({ threadId, requestedAt }: HandoverRequest, body: Buffer, step: string | undefined): string | undefined {
  if (requestedAt != null) return `${threadId} at ${requestedAt}`;
  return step === undefined ? undefined : `${step} ${createHash('sha256').update(body).digest('hex')}`;
}
