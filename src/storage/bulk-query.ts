import { type CompiledQuery, RawNode, createQueryId } from 'kysely';

/**
 * One statement to run for many rows. A Kysely query carries it to the driver, so that it runs on the transaction's own
 * connection; the driver knows it by `rows`.
 */
export interface BulkQuery<R> extends CompiledQuery<R> {
  /** The parameters of each run. */
  readonly rows: readonly (readonly unknown[])[];
}

export function bulkQuery<R>(sql: string, rows: readonly (readonly unknown[])[]): BulkQuery<R> {
  return { sql, rows, parameters: [], query: RawNode.createWithSql(sql), queryId: createQueryId() };
}

export const isBulkQuery = (query: CompiledQuery): query is BulkQuery<unknown> => 'rows' in query;
