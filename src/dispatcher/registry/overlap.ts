import { GatewayError } from '../../core/errors';

const DAY_MS = 86_400_000;
const MAX_OVERLAP_MS = 30 * DAY_MS;

/**
 * Until when what is replaced counts beside the new one, in milliseconds since 1970: a day from now unless the text says otherwise.
 * @throws GatewayError `validation_failed` naming the field.
 */
export function overlapEnd(field: string, text: string | null | undefined, now: number): number {
  if (text === undefined || text === null) return now + DAY_MS;
  const until = Date.parse(text);
  if (until <= now + MAX_OVERLAP_MS) return until;
  throw new GatewayError('validation_failed', undefined, {
    problems: [{ path: field, message: 'must be a time within 30 days from now' }],
  });
}
