import { STATUS_CODES } from 'node:http';
import { ERRORS, GatewayError } from '../core/errors';

/** How the proxy itself answers; everything else is the target's. */
export interface Refusal {
  status: number;
  /** What happened. */
  description: string;
  /** A code of docs/errors.md. */
  error: string;
}

export const refusalOf = ({ code, message }: GatewayError): Refusal => ({ status: ERRORS[code].status, description: message, error: code });

const TIMEOUTS: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
  'FST_REPLY_FROM_TIMEOUT',
]);

/** What the client is told of a target that gave no answer. @param error Of the connection. */
export function refusalOfTarget(error: unknown): GatewayError {
  const code = codeOf(error);
  return TIMEOUTS.has(code) ? new GatewayError('target_timeout') : new GatewayError('target_unreachable');
}

/** `ECONNREFUSED` and the like, of the innermost error that has one: it names no address. */
export function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return codeOf(cause);
  return typeof code === 'string' ? code : 'unknown';
}

/** An answer to what is not HTTP, written by hand. */
export function rawRefusal(status: number, error: GatewayError): string {
  const body = JSON.stringify({ ...refusalOf(error), status });
  return (
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json; charset=utf-8\r\n` +
    `content-length: ${String(Buffer.byteLength(body))}\r\nconnection: close\r\n\r\n${body}`
  );
}
