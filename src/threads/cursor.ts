import { GatewayError } from '../core/errors';
import { isId } from '../core/ids';
import type { StatementPosition, ThreadPosition } from './thread-store';

export const threadCursor = ({ lastAt, accountId, id }: ThreadPosition): string => encode([lastAt, accountId, id]);

export const statementCursor = ({ at, eventId }: StatementPosition): string => encode([at, eventId]);

/** @throws GatewayError `malformed_request`. */
export function threadPosition(cursor: string | undefined): ThreadPosition | undefined {
  if (cursor === undefined) return undefined;
  const [lastAt, accountId, id] = decode(cursor);
  if (!isTime(lastAt) || typeof accountId !== 'string' || typeof id !== 'string') throw notOurs();
  return { lastAt, accountId, id };
}

/** @throws GatewayError `malformed_request`. */
export function statementPosition(cursor: string | undefined): StatementPosition | undefined {
  if (cursor === undefined) return undefined;
  const [at, eventId] = decode(cursor);
  if (!isTime(at) || typeof eventId !== 'string' || !isId(eventId)) throw notOurs();
  return { at, eventId };
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value);

const encode = (parts: readonly (string | number)[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

function decode(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && !JSON.stringify(parts).includes('\\u0000')) return parts as unknown[];
  } catch {
    // Not ours either.
  }
  throw notOurs();
}

const notOurs = (): GatewayError =>
  new GatewayError('malformed_request', 'The query is not valid', {
    problems: [{ path: 'cursor', message: 'must be the nextCursor of a page' }],
  });
