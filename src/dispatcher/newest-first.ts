import type { SelectQueryBuilder } from 'kysely';
import type { Page, PageOf } from '../http/page';
import type { Schema } from '../storage/schema';

/** How many rows one page looks at, found or not, so that no list takes the database for long. */
export interface ScanBounds {
  chunkRows: number;
  maxRows: number;
}

export interface Scan<T> {
  /** The id of the n-th newest row below `before`; undefined when there are fewer. */
  nthBelow(before: string | undefined, n: number): Promise<string | undefined>;
  /** At most `limit` wanted rows with an id from `from` (undefined: from the first) to below `before`, newest first. */
  wanted(before: string | undefined, from: string | undefined, limit: number): Promise<T[]>;
}

/**
 * A page of rows, newest first, from a bounded number of rows looked at. Where the bound is met first the page is short, even
 * empty, and `nextCursor` goes on where it stopped; only null is the end.
 */
export async function pageNewestFirst<T extends { id: string }>(page: Page, bounds: ScanBounds, scan: Scan<T>): Promise<PageOf<T>> {
  const data: T[] = [];
  let before = page.cursor;
  for (let looked = 0; looked < bounds.maxRows; looked += bounds.chunkRows) {
    const from = await scan.nthBelow(before, bounds.chunkRows);
    const missing = page.limit - data.length;
    const found = await scan.wanted(before, from, missing + 1);
    data.push(...found.slice(0, missing));
    if (found.length > missing) return { data, nextCursor: data.at(-1)?.id ?? null };
    if (from === undefined) return { data, nextCursor: null };
    before = from;
  }
  return { data, nextCursor: before ?? null };
}

/** The id of the n-th row, counted from 1; undefined when there are fewer. */
export async function nthId<T extends keyof Schema>(
  ids: SelectQueryBuilder<Schema, T, { id: string }>,
  n: number,
): Promise<string | undefined> {
  const row = await ids
    .limit(1)
    .offset(n - 1)
    .executeTakeFirst();
  return row?.id;
}
