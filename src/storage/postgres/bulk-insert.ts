import type { Schema } from '../schema';
import type { InsertRow } from '../storage';
import { arrayParameter } from './array-parameter';
import { COLUMN_TYPES, type ColumnType } from './column-types';

/** `insert … select … from unnest(…)`: one text per table and columns whatever the number of rows, so it stays prepared. */
export function bulkInsert<T extends keyof Schema>(table: T, rows: readonly InsertRow<T>[]): { text: string; parameters: unknown[] } {
  const types = COLUMN_TYPES[table] as Record<string, ColumnType>;
  const columns = Object.keys(rows[0] as object) as (keyof InsertRow<T> & string)[];
  const typeOf = (column: string): ColumnType => {
    const type = types[column];
    if (!type) throw new TypeError(`The table ${table} has no column ${column}`);
    return type;
  };
  return {
    text:
      `insert into "${table}" (${columns.map((column) => `"${column}"`).join(', ')}) ` +
      `select * from unnest(${columns.map((column, index) => `$${index + 1}::${typeOf(column)}[]`).join(', ')})`,
    parameters: columns.map((column) =>
      arrayParameter(
        typeOf(column),
        rows.map((row) => row[column]),
      ),
    ),
  };
}
