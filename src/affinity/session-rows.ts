import { Injectable } from '@nestjs/common';
import { type Transaction, sql } from 'kysely';
import { anyOf } from '../dispatcher/any-of';
import type { AffinitySessionsTable, Schema } from '../storage/schema';
import { Storage } from '../storage/storage';

export type SessionRow = Pick<AffinitySessionsTable, 'cookie' | 'expires_at'>;

export interface SessionChange {
  key: string;
  /** What the row held when the request was sent; null when there was none. */
  replaces: string | null;
  /** Null removes the row. */
  row: SessionRow | null;
}

/** The table of sessions. All processes of one target share it. */
@Injectable()
export class SessionRows {
  constructor(private readonly storage: Storage) {}

  /** In the order of the keys; what has expired is not there. */
  async find(keys: readonly string[], nowMs: number): Promise<(SessionRow | undefined)[]> {
    const rows = await this.storage.db
      .selectFrom('affinity_sessions')
      .select(['key', 'cookie', 'expires_at'])
      .where(anyOf(this.storage.engine, 'key', 'text', keys))
      .where('expires_at', '>', nowMs)
      .execute();
    const byKey = new Map(rows.map((row) => [row.key, row]));
    return keys.map((key) => byKey.get(key));
  }

  /** A row that another request has changed meanwhile stays as it is: its actor is at that instance by now. */
  async change(changes: readonly SessionChange[], nowMs: number): Promise<void> {
    // In one order in all processes, so that none waits for another in a circle.
    const sorted = [...changes].sort((a, b) => (a.key < b.key ? -1 : 1));
    await this.storage.transaction(async (trx) => {
      for (const change of sorted) await changeRow(trx, change, nowMs);
    });
  }

  /** @returns how many rows there were. */
  async deleteExpired(nowMs: number, limit: number): Promise<number> {
    const deleted = await sql`delete from affinity_sessions where key in
      (select key from affinity_sessions where expires_at <= ${nowMs} limit ${sql.lit(limit)})`.execute(this.storage.db);
    return Number(deleted.numAffectedRows ?? 0);
  }
}

async function changeRow(trx: Transaction<Schema>, { key, replaces, row }: SessionChange, nowMs: number): Promise<void> {
  if (row === null) {
    await trx.deleteFrom('affinity_sessions').where('key', '=', key).where('cookie', '=', replaces).execute();
    return;
  }
  await trx
    .insertInto('affinity_sessions')
    .values({ key, ...row })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet(row)
        .where((eb) => eb.or([eb('affinity_sessions.expires_at', '<=', nowMs), eb('affinity_sessions.cookie', '=', replaces ?? '')])),
    )
    .execute();
}
