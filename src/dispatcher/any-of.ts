import { type RawBuilder, sql } from 'kysely';
import type { Engine } from '../storage/storage';

/** `column` is one of `values`: one parameter and one statement text, however many there are. */
export function anyOf(engine: Engine, column: string, type: 'uuid' | 'text', values: readonly string[]): RawBuilder<boolean> {
  return engine === 'postgres'
    ? sql<boolean>`${sql.ref(column)} = any(${values}::${sql.raw(type)}[])`
    : sql<boolean>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`;
}
