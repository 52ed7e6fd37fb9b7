import { type RawBuilder, sql } from 'kysely';
import { LEDGER_COLUMNS, type LedgerRow } from '../dispatcher/ledger-delta';
import type { Queryable } from '../storage/storage';

/** What the ledger says: one row a source, in their order; of one moment, since it is read by one statement. */
export async function readSums(db: Queryable): Promise<LedgerRow[]> {
  const columns = sql.join(LEDGER_COLUMNS.map((name) => sql.ref(name)));
  // Without the cast PostgreSQL's sums of bigints are numerics, which the driver gives as text.
  const sums = sql.join(LEDGER_COLUMNS.map((name): RawBuilder<number> => sql`cast(sum(${sql.ref(name)}) as bigint) as ${sql.ref(name)}`));
  const { rows } = await sql<LedgerRow>`
    select source, ${sums}
    from (select source, ${columns} from ledger_totals union all select source, ${columns} from ledger_deltas) as changes
    group by source order by source`.execute(db);
  return rows;
}
