import { GatewayError } from '../../core/errors';
import type { SignedRequest } from '../preset';

/** Longer ones are of no sender that a preset knows, and are not looked at. */
const MAX_CHARACTERS = 4_096;

/**
 * The first of these headers that was sent; a list is one text, as Node joins most of them. Empty counts as not sent.
 * @param names In lower case.
 * @throws GatewayError `signature_invalid` when it is longer than 4,096 characters.
 */
export function headerOf({ headers }: Pick<SignedRequest, 'headers'>, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    // A name such as `constructor` is no header that was sent.
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    const text = Array.isArray(value) ? value.join(', ') : value;
    if (text === undefined || text === '') continue;
    if (text.length > MAX_CHARACTERS) throw new GatewayError('signature_invalid', `${name} is longer than ${MAX_CHARACTERS} characters`);
    return text;
  }
  return undefined;
}

/** @throws GatewayError `signature_missing`; as `headerOf` besides. */
export function requiredHeader(request: Pick<SignedRequest, 'headers'>, ...names: readonly [string, ...string[]]): string {
  const text = headerOf(request, ...names);
  if (text === undefined) throw new GatewayError('signature_missing', `There is no ${names[0]}`);
  return text;
}
