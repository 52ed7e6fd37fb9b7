import { type RawBuilder, sql } from 'kysely';
import type { Storage } from '../../storage/storage';

/** @returns whether as many were deleted as one slice may hold. */
export async function expireStatements(storage: Storage, beforeMs: number, slice: number): Promise<boolean> {
  const limit = sql.lit(slice);
  // On SQLite they lie in the order in which they came; the few that came late leave late.
  const statements =
    storage.engine === 'postgres'
      ? sql`delete from statements where ctid = any(array(select ctid from statements where at < ${beforeMs} limit ${limit}))`
      : sql`delete from statements where id in
          (select id from (select id, at from statements order by id limit ${limit}) where at < ${beforeMs})`;
  const threads = sql`
    delete from threads where last_at < ${beforeMs} and (account_id, id) in
      (select account_id, id from threads where last_at < ${beforeMs} order by last_at limit ${limit})`;
  const run = async (statement: RawBuilder<unknown>): Promise<number> => Number((await statement.execute(storage.db)).numAffectedRows ?? 0);
  const deleted = [await run(statements), await run(threads)];
  return deleted.some((count) => count === slice);
}
