import { randomBytes } from 'node:crypto';
import type { FieldProblem } from '../../core/errors';

const SECRET_PREFIX = 'whsec_';
const MAX_HEADERS = 50;
const MAX_HEADER_LENGTH = 4_096;
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** Tab, visible ASCII and Latin-1: what Node writes into a header; above all neither CR nor LF. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers that frame the request, and those that receivers trust to be the gateway's own. */
const OWN_HEADERS = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
]);

/** Problems of an endpoint's own headers; each names the header by its path. */
export function headerProblems(headers: Record<string, unknown>, hasAuth: boolean): FieldProblem[] {
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS) return [{ path: 'headers', message: `must not be more than ${MAX_HEADERS}` }];
  const seen = new Set<string>();
  return names.flatMap((name) => {
    const message = headerProblem(name.toLowerCase(), headers[name], hasAuth, seen);
    seen.add(name.toLowerCase());
    return message === undefined ? [] : [{ path: `headers.${name.slice(0, 128)}`, message }];
  });
}

function headerProblem(name: string, value: unknown, hasAuth: boolean, seen: ReadonlySet<string>): string | undefined {
  if (!TOKEN.test(name)) return 'is not a header name';
  if (OWN_HEADERS.has(name) || name.startsWith('webhook-')) return 'is set by the gateway';
  if (name === 'authorization' && hasAuth) return 'is set by `auth`';
  if (seen.has(name)) return 'stands there twice';
  if (typeof value !== 'string') return 'must be a string';
  if (value.length > MAX_HEADER_LENGTH) return `must have at most ${MAX_HEADER_LENGTH} characters`;
  return HEADER_VALUE.test(value) ? undefined : 'must not hold line breaks or other control characters, nor characters beyond Latin-1';
}

export const newSecret = (): string => SECRET_PREFIX + randomBytes(32).toString('base64');

/** A given secret in the form in which it is kept; undefined when it is none. */
export function normalSecret(text: string): string | undefined {
  const encoded = text.startsWith(SECRET_PREFIX) ? text.slice(SECRET_PREFIX.length) : text;
  const bytes = Buffer.from(encoded, 'base64');
  // Node skips what is no base64; written again it would be another text.
  const isExact = bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '');
  return isExact && bytes.length >= 24 && bytes.length <= 64 ? SECRET_PREFIX + bytes.toString('base64') : undefined;
}
