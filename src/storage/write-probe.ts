import type { Queryable } from './storage';

/** Commits a row of its own, so that a full disk or a read-only server shows as well. */
export async function writeProbe(db: Queryable): Promise<boolean> {
  const value = String(Date.now());
  try {
    await db
      .insertInto('meta')
      .values({ key: 'probe', value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
    return true;
  } catch {
    return false;
  }
}
