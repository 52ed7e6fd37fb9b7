import { randomBytes } from 'node:crypto';
import type { FieldProblem } from '../../core/errors';
import { headerProblems as problemsOfNamesAndValues } from '../delivery/http/custom-headers';

const SECRET_PREFIX = 'whsec_';
const MAX_HEADERS = 50;
const MAX_HEADER_LENGTH = 4_096;

/** Problems of an endpoint's own headers; each names the header by its path. */
export function headerProblems(headers: Record<string, unknown>, hasAuth: boolean): FieldProblem[] {
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) return [{ path: 'headers', message: `must not be more than ${String(MAX_HEADERS)}` }];
  const problems = problemsOfNamesAndValues(headers);
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    const path = `headers.${name.slice(0, 128)}`;
    const lowerCase = name.toLowerCase();
    if (seen.has(lowerCase)) problems.push({ path, message: 'stands there twice' });
    seen.add(lowerCase);
    if (lowerCase === 'authorization' && hasAuth) problems.push({ path, message: 'is set by auth' });
    if (name.length > 128 || String(value).length > MAX_HEADER_LENGTH) {
      problems.push({ path, message: `must have at most ${String(MAX_HEADER_LENGTH)} characters, and its name 128` });
    }
  }
  return problems;
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

/** The Authorization header that an endpoint's `auth` makes; undefined when it has none. */
export function authorizationOf(auth: Record<string, unknown> | null): string | undefined {
  switch (auth?.['type']) {
    case 'basic':
      return `Basic ${Buffer.from(`${String(auth['username'])}:${String(auth['password'])}`).toString('base64')}`;
    case 'bearer':
      return `Bearer ${String(auth['token'])}`;
    default:
      return undefined;
  }
}
