import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

/**
 * A filter may have conditions on what stands in an event; null is none. SQLite's trigger that notes changes (0008) names the columns
 * it looks at, and is made anew with this one.
 */
export async function filterConditions(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  await sql`alter table filters add column "where" text`.execute(trx);
  if (engine === 'postgres') return;
  await sql`drop trigger note_changed_filters_update`.execute(trx);
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info('filters')`.execute(trx);
  const columns = rows.map(({ name }) => `"${name}"`).join(', ');
  const statement = `create trigger note_changed_filters_update after update of ${columns} on filters begin
      update registry_version set version = version + 1 where id = 1;
      insert into registry_changes (kind, key, version) select 'filter', new.id, version from registry_version where id = 1
        on conflict (kind, key) do update set version = excluded.version;
    end`;
  await sql.raw(statement).execute(trx);
}
