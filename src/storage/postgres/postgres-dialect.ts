import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { GatewayError } from '../../core/errors';
import { isConnectionLost, toStorageError } from './postgres-errors';
import type { StatementNames } from './statement-names';

export interface DriverOptions {
  pool: Pool;
  /** Absent: nothing is prepared. */
  names?: StatementNames | undefined;
  /** From asking for a connection to the first answer, and for each further statement. */
  queryTimeoutMs: number;
  /** Throws when the database must not be used yet. */
  assertReady?: () => void;
}

export const postgresDialect = (options: DriverOptions): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new PostgresDriver(options),
  createIntrospector: (db) => new PostgresIntrospector(db),
  createQueryCompiler: () => new PostgresQueryCompiler(),
});

const COUNTING = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);
const LEAST_TIMEOUT_MS = 500;

class PostgresConnection implements DatabaseConnection {
  /** Set once the connection is of no more use. */
  lost: unknown;
  private timeoutMs: number;

  constructor(
    readonly client: PoolClient,
    private readonly options: DriverOptions,
    waitedMs: number,
  ) {
    this.timeoutMs = Math.max(LEAST_TIMEOUT_MS, options.queryTimeoutMs - waitedMs);
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.run(query.sql, query.parameters as unknown[], this.options.names?.nameOf(query.sql));
    return COUNTING.has(command) ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) } : { rows: rows as R[] };
  }

  async run(text: string, values: unknown[] = [], name?: string) {
    if (this.lost !== undefined) throw toStorageError(this.lost);
    const timeoutMs = this.timeoutMs;
    this.timeoutMs = this.options.queryTimeoutMs;
    try {
      // The types of pg lack `query_timeout` of a single query.
      const config = { text, values, query_timeout: timeoutMs, ...(name === undefined ? {} : { name }) };
      return await this.client.query(config);
    } catch (error) {
      if (isConnectionLost(error)) this.lost = error;
      throw toStorageError(error);
    }
  }

  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    await Promise.reject(new Error('Streaming would hold a connection; read page by page instead'));
  }
}

/** As Kysely's own, but every error goes through one place, a lost connection is never used again, and statements are prepared. */
class PostgresDriver implements Driver {
  constructor(private readonly options: DriverOptions) {}

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    this.options.assertReady?.();
    const askedAt = Date.now();
    try {
      const client = await this.options.pool.connect();
      return new PostgresConnection(client, this.options, Date.now() - askedAt);
    } catch (error) {
      throw toStorageError(error);
    }
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await connection.run('begin');
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    const { command } = await connection.run('commit');
    // The server answers the commit of a failed transaction with a rollback and no error.
    if (command !== 'COMMIT') throw new GatewayError('internal_error', 'A failed transaction was committed');
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    // The server rolls back what a lost connection began; asking it would only wait again.
    if (connection.lost === undefined) await connection.run('rollback');
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    await Promise.resolve(connection.client.release(connection.lost !== undefined));
  }

  async destroy(): Promise<void> {}
}
