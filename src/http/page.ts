import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type FieldProblem, GatewayError } from '../core/errors';
import { isId } from '../core/ids';

export interface Page {
  /** Rows wanted, 1 to MAX_LIMIT. Ask for one more and hand them to `pageOf`. */
  limit: number;
  /** The last row's key of the page before. */
  cursor: string | undefined;
}

export interface PageOf<T> {
  data: T[];
  /** Give it as `cursor` for the next page; null at the end. */
  nextCursor: string | null;
}

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;
const MAX_CURSOR_LENGTH = 1_024;

/** `id`: lists that are sorted by a UUIDv7; `text`: lists that are sorted by a name. */
export type CursorKind = 'id' | 'text';

/** @throws GatewayError `malformed_request` naming what is wrong. */
export function parsePage(query: Record<string, unknown>, kind: CursorKind = 'id'): Page {
  const problems: FieldProblem[] = [];
  const { limit: limitText = String(DEFAULT_LIMIT), cursor } = query;
  const limit = typeof limitText === 'string' && /^\d{1,4}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > MAX_LIMIT) problems.push({ path: 'limit', message: `must be a number from 1 to ${String(MAX_LIMIT)}` });
  if (cursor !== undefined && !isCursor(cursor, kind)) problems.push({ path: 'cursor', message: 'must be the nextCursor of a page' });
  if (problems.length > 0) throw new GatewayError('malformed_request', 'The query is not valid', { problems });
  return { limit, cursor: cursor as string | undefined };
}

const isCursor = (cursor: unknown, kind: CursorKind): boolean =>
  typeof cursor === 'string' &&
  (kind === 'id' ? isId(cursor) : cursor !== '' && cursor.length <= MAX_CURSOR_LENGTH && !cursor.includes('\0'));

/** @param rows At most `limit + 1` of them: the one more tells that there is another page. */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): PageOf<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

/** The parameters that every list knows. */
export const PAGE_FIELDS: readonly string[] = ['limit', 'cursor'];

/** A problem for each parameter that is not known: one with a slip in its name would show more than was meant. */
export function unknownFields(query: Record<string, unknown>, known: readonly string[]): FieldProblem[] {
  const unknown = Object.keys(query).filter((name) => !known.includes(name));
  return unknown.map((name) => ({ path: name.slice(0, 64), message: `is not one of ${known.join(', ')}` }));
}

function parseBarePage(query: Record<string, unknown>, kind?: CursorKind): Page {
  const problems = unknownFields(query, PAGE_FIELDS);
  if (problems.length > 0) throw new GatewayError('malformed_request', 'The query is not valid', { problems });
  return parsePage(query, kind);
}

/** As PageQuery, in the handler of a list without filters: any other parameter is refused. */
export const BarePageQuery = createParamDecorator((kind: CursorKind | undefined, context: ExecutionContext) =>
  parseBarePage(queryOf(context), kind),
);

/** `@PageQuery() page: Page` in a list's handler. */
export const PageQuery = createParamDecorator((kind: CursorKind | undefined, context: ExecutionContext) =>
  parsePage(queryOf(context), kind),
);

const queryOf = (context: ExecutionContext): Record<string, unknown> =>
  context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
