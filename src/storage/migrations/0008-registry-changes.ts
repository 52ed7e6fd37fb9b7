import { type Transaction, sql } from 'kysely';
import type { Schema } from '../schema';
import type { Engine } from '../storage';

export interface Watched {
  table: 'endpoints' | 'filters' | 'account_identities' | 'sources' | 'token_webhooks';
  kind: 'endpoint' | 'filter' | 'identity' | 'source' | 'token_webhook';
  keyColumns: readonly string[];
  /** What every attempt may change and nobody dispatches by. */
  ignored: readonly string[];
}

const WATCHED: readonly Watched[] = [
  { table: 'endpoints', kind: 'endpoint', keyColumns: ['id'], ignored: ['failing_since', 'failure_count'] },
  { table: 'filters', kind: 'filter', keyColumns: ['id'], ignored: [] },
  { table: 'account_identities', kind: 'identity', keyColumns: ['channel', 'external_id'], ignored: [] },
];

/**
 * Which rows of the registry changed last, and at which version, so that a process reads those alone. Kept by triggers: no writer can
 * forget it. Each takes the version's row, so the versions of changes are in the order of their commits.
 */
export async function registryChanges(trx: Transaction<Schema>, engine: Engine): Promise<void> {
  const statements = [
    `create table registry_changes (kind text not null, key text not null, version ${engine === 'postgres' ? 'bigint' : 'integer'} not null,
      primary key (kind, key))${engine === 'postgres' ? '' : ' strict'}`,
    'create index registry_changes_by_version on registry_changes (version)',
  ];
  for (const statement of statements) await sql.raw(statement).execute(trx);
  for (const watched of WATCHED) await watch(trx, engine, watched);
}

/** Has the changes of a table's rows kept as well. */
export async function watch(trx: Transaction<Schema>, engine: Engine, watched: Watched): Promise<void> {
  const statements = engine === 'postgres' ? onPostgres(watched) : await onSqlite(trx, watched);
  for (const statement of statements) await sql.raw(statement).execute(trx);
}

/** Once a statement, however many rows it changes. */
function onPostgres({ table, kind, keyColumns, ignored }: Watched): string[] {
  const keyOf = (row: string): string =>
    keyColumns.length === 1 ? `${row}.id::text` : `json_build_array(${keyColumns.map((column) => `${row}.${column}`).join(', ')})::text`;
  const joined = keyColumns.map((column) => `n.${column} = o.${column}`).join(' and ');
  const compared = (row: string): string => `(to_jsonb(${row}) - '{${ignored.join(',')}}'::text[])`;
  const differing = `new_rows n join old_rows o on ${joined} where ${compared('n')} <> ${compared('o')}`;
  const note = (row: string, from: string): string =>
    `insert into registry_changes (kind, key, version) select '${kind}', ${keyOf(row)}, changed_in from ${from}
      on conflict (kind, key) do update set version = excluded.version;`;
  const name = `note_changed_${table}`;
  const on = (event: string, tables: string): string =>
    `create trigger ${name}_${event} after ${event} on ${table} referencing ${tables} for each statement execute function ${name}()`;
  return [
    `create function ${name}() returns trigger language plpgsql as $$
    declare changed_in bigint;
    begin
      if tg_op = 'UPDATE' then
        if not exists (select 1 from ${differing}) then return null; end if;
      end if;
      update registry_version set version = version + 1 where id = 1 returning version into changed_in;
      if tg_op = 'INSERT' then
        ${note('n', 'new_rows n')}
      elsif tg_op = 'UPDATE' then
        ${note('n', differing)}
      else
        ${note('o', 'old_rows o')}
      end if;
      return null;
    end $$`,
    on('insert', 'new table as new_rows'),
    on('update', 'old table as old_rows new table as new_rows'),
    on('delete', 'old table as old_rows'),
  ];
}

async function onSqlite(trx: Transaction<Schema>, { table, kind, keyColumns, ignored }: Watched): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(trx);
  const columns = rows.map((row) => row.name).filter((name) => !ignored.includes(name));
  const keyOf = (row: string): string =>
    keyColumns.length === 1 ? `${row}.id` : `json_array(${keyColumns.map((column) => `${row}.${column}`).join(', ')})`;
  const on = (event: string, when: string, row: string): string =>
    `create trigger note_changed_${table}_${event} after ${when} on ${table} begin
      update registry_version set version = version + 1 where id = 1;
      insert into registry_changes (kind, key, version) select '${kind}', ${keyOf(row)}, version from registry_version where id = 1
        on conflict (kind, key) do update set version = excluded.version;
    end`;
  return [
    on('insert', 'insert', 'new'),
    on('update', `update of ${columns.map((column) => `"${column}"`).join(', ')}`, 'new'),
    on('delete', 'delete', 'old'),
  ];
}
