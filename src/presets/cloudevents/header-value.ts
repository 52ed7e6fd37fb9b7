import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../../core/errors';

/**
 * Text of an attribute in a header: quotes taken off, then percent-decoded once. A percent sign that begins no escape is itself, since
 * older SDKs do not escape.
 * @param value As Node gives it: a character for each byte.
 * @throws GatewayError `malformed_request` for what is no UTF-8 then.
 */
export function decodeHeaderValue(name: string, value: string): string {
  const quoted = /^\s*"(.*)"\s*$/s.exec(value)?.[1]?.replace(/\\(.)/gs, '$1');
  const decoded = (quoted ?? value.trim()).replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  const bytes = Buffer.from(decoded, 'latin1');
  if (!isUtf8(bytes)) throw new GatewayError('malformed_request', `${name} is not percent-encoded UTF-8`);
  return bytes.toString('utf8');
}
