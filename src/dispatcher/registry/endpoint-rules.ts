import { randomBytes } from 'node:crypto';
import type { FieldProblem } from '../../core/errors';

const SECRET_PREFIX = 'whsec_';
const MAX_HEADERS = 50;
const MAX_HEADER_LENGTH = 4_096;

/** The gateway's own, and those that frame the request: an endpoint's headers must not change them. */
const RESERVED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'expect',
  'te',
  'trailer',
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
/** Visible characters, blanks and Latin-1; above all neither CR nor LF. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What is wrong with an endpoint's own headers; they are refused when saved, so that no delivery fails by them. */
export function headerProblems(headers: Record<string, unknown>, hasAuth: boolean): FieldProblem[] {
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS) return [{ path: 'headers', message: `must not be more than ${String(MAX_HEADERS)}` }];
  const seen = new Set<string>();
  return names.flatMap((name) => {
    const message = headerProblem(name.toLowerCase(), headers[name], hasAuth, seen);
    seen.add(name.toLowerCase());
    return message === undefined ? [] : [{ path: `headers.${name.slice(0, 128)}`, message }];
  });
}

function headerProblem(name: string, value: unknown, hasAuth: boolean, seen: ReadonlySet<string>): string | undefined {
  if (!TOKEN.test(name)) return 'is no name of a header';
  if (RESERVED.has(name) || name.startsWith('webhook-')) return 'is set by the gateway';
  if (name === 'authorization' && hasAuth) return 'is set by auth';
  if (seen.has(name)) return 'stands there twice';
  if (typeof value !== 'string' || !VALUE.test(value)) return 'must be text without line breaks or control characters';
  if (value === HIDDEN && CREDENTIAL.test(name)) return `must be the value itself: ${HIDDEN} stands for one that is kept`;
  return value.length > MAX_HEADER_LENGTH ? `must have at most ${String(MAX_HEADER_LENGTH)} characters` : undefined;
}

/** Stands in views for the value of a header that is a credential. */
const HIDDEN = '***';
const CREDENTIAL =
  /authoriz|authent|(^|[-_])(auth|key)($|[-_])|cookie|token|secret|passw|credential|session|signature|api[-_]?key|access[-_]?key/i;

/** The headers as they are shown: of those that are named like credentials only the names. */
export const shownHeaders = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, shownHeader(name, value)]));

export const shownHeader = (name: string, value: string): string => (CREDENTIAL.test(name) ? HIDDEN : value);

/** Given headers, with the present value where one is given as it was shown: so that what was read can be sent back. */
export function withHidden(given: Record<string, string>, present: Record<string, string>): Record<string, string> {
  const values = new Map(Object.entries(present).map(([name, value]) => [name.toLowerCase(), value]));
  const valueOf = (name: string, value: string): string =>
    value === HIDDEN && CREDENTIAL.test(name) ? (values.get(name.toLowerCase()) ?? value) : value;
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, valueOf(name, value)]));
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
