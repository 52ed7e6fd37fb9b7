import { GatewayError } from '../../core/errors';
import { isSameText } from '../../core/same-text';

/**
 * Looks at all of them, whichever it is.
 * @throws GatewayError `channel_not_configured` where there is none.
 */
export function isOneOf(given: string, secrets: readonly string[]): boolean {
  if (secrets.length === 0) throw new GatewayError('channel_not_configured', 'There is no secret');
  return secrets.reduce((found, secret) => isSameText(given, secret) || found, false);
}
