import { type RawBuilder, sql } from 'kysely';
import { firstIdAt } from '../../../core/ids';
import type { Storage } from '../../../storage/storage';
import { DEAD_MS, FORGOTTEN_MS, GIVEN_UP_MS, GRACE_MS, type SeenProcess } from './ownership';

/** Any number that nothing else in the database locks. */
const JOIN_LOCK = 4_807_527;

/** When the statement came in: what the statement sees is as of later, so nobody seems older than they are. */
const NOW = sql<number>`(extract(epoch from statement_timestamp()) * 1000)::bigint`;

export interface Beat {
  others: SeenProcess[];
  /** The database's clock, in milliseconds since 1970. */
  nowMs: number;
}

/** The table `processes` on PostgreSQL. Its clock decides, so processes whose clocks differ agree. */
export class ProcessTable {
  constructor(
    private readonly storage: Storage,
    private readonly bootId: string,
  ) {}

  /** Writes the row anew. One at a time, so that of two that come at once the second sees the first. @returns whether it is alone. */
  async join(): Promise<boolean> {
    return this.storage.transaction(async (trx) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(JOIN_LOCK)})`.execute(trx);
      await sql`delete from processes where seen_at < ${NOW} - ${FORGOTTEN_MS}::bigint`.execute(trx);
      const { rows } = await sql<{ alone: boolean }>`
        with rival as (
          select exists (select from processes
            where boot_id <> ${this.bootId} and active_from is not null and seen_at >= ${NOW} - ${GIVEN_UP_MS}::bigint) as there
        ), joined as (
          insert into processes (boot_id, started_at, seen_at, active_from)
          select ${this.bootId}::uuid, ${NOW}, ${NOW}, ${NOW} + case when there then ${GRACE_MS}::bigint else 0 end from rival
          on conflict (boot_id) do update set seen_at = excluded.seen_at, active_from = excluded.active_from
        )
        select not there as alone from rival`.execute(trx);
      return rows[0]?.alone === true;
    });
  }

  /** Renews the row and reads the others'. @returns undefined when the row is not there. */
  async beat(): Promise<Beat | undefined> {
    const { rows } = await sql<{ boot_id: string; age_ms: number; active_in_ms: number | null; now_ms: number; beaten: number }>`
      with beat as (update processes set seen_at = ${NOW} where boot_id = ${this.bootId} returning 1)
      select boot_id, ${NOW} - seen_at as age_ms, active_from - ${NOW} as active_in_ms, ${NOW} as now_ms,
        (select count(*) from beat) as beaten
      from processes`.execute(this.storage.db);
    const [first] = rows;
    if (first === undefined || first.beaten === 0) return undefined;
    const others = rows.filter((row) => row.boot_id !== this.bootId);
    return {
      others: others.map((row) => ({ bootId: row.boot_id, ageMs: row.age_ms, activeInMs: row.active_in_ms })),
      nowMs: first.now_ms,
    };
  }

  /** Says that it owns nothing any more, but still has deliveries in hand. */
  async leave(): Promise<void> {
    await sql`update processes set active_from = null where boot_id = ${this.bootId}`.execute(this.storage.db);
  }

  async remove(): Promise<void> {
    await sql`delete from processes where boot_id = ${this.bootId}`.execute(this.storage.db);
  }
}

/** A condition on deliveries: the boot that leases them is surely dead. */
export const leasedByTheDead = (databaseNowMs: number): RawBuilder<boolean> => sql<boolean>`
  case when exists (select from processes p where p.boot_id = leased_by)
    then not exists (select from processes p where p.boot_id = leased_by and p.seen_at >= ${NOW} - ${DEAD_MS}::bigint)
    else leased_by < ${firstIdAt(databaseNowMs - FORGOTTEN_MS)}::uuid end`;
