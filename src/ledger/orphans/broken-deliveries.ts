import { type RawBuilder, sql } from 'kysely';
import type { Storage } from '../../storage/storage';
import type { RepairKind, Repairs } from '../repairs';
import type { IdRange } from './id-walk';

const OPEN = sql<boolean>`status in ('pending', 'waiting')`;

interface Flaw {
  kind: RepairKind;
  found: RawBuilder<boolean>;
  mended: RawBuilder<unknown>;
}

/**
 * Rows that contradict themselves, in the order in which they are mended. Whether a delivery was settled says `settled_at`, which is
 * written with the ledger: where the rest says otherwise, the delivery is owed.
 */
const flaws = (nowMs: number): Flaw[] => [
  {
    kind: 'settled_but_due',
    found: sql`not ${OPEN} and next_attempt_at is not null and settled_at is not null`,
    mended: sql`next_attempt_at = null, leased_by = null, lease_until = null`,
  },
  {
    kind: 'open_without_time',
    found: sql`(${OPEN} and next_attempt_at is null) or (not ${OPEN} and settled_at is null)`,
    mended: sql`status = case when attempt_count = 0 then 'pending' else 'waiting' end, next_attempt_at = ${sql.lit(nowMs)},
      settled_at = null, reason = null, dead_class = null, leased_by = null, lease_until = null`,
  },
  {
    kind: 'settled_with_lease',
    found: sql`not ${OPEN} and (leased_by is not null or lease_until is not null)`,
    mended: sql`leased_by = null, lease_until = null`,
  },
  {
    kind: 'lease_without_end',
    found: sql`(leased_by is null) <> (lease_until is null)`,
    mended: sql`leased_by = null, lease_until = null`,
  },
];

/** Mends rows of the range; their statuses stay what the ledger knows, so it is not touched. */
export async function mendBrokenDeliveries(storage: Storage, { after, upTo }: IdRange, nowMs: number, repairs: Repairs): Promise<void> {
  const inRange = sql`id > ${after} and id <= ${upTo}`;
  const all = flaws(nowMs);
  const { rows } = await sql<{ id: string }>`select id from deliveries where ${inRange} and (${sql.join(
    all.map(({ found }) => sql`(${found})`),
    sql` or `,
  )}) limit 1`.execute(storage.db);
  if (rows.length === 0) return;
  for (const { kind, found, mended } of all) {
    const changed = await sql<{ id: string }>`update deliveries set ${mended} where ${inRange} and (${found}) returning id`.execute(
      storage.db,
    );
    repairs.made(
      kind,
      changed.rows.map((row) => row.id),
    );
  }
}
