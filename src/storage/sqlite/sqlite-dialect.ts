import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { isBulkQuery } from '../bulk-query';
import type { SqliteFile } from './sqlite-file';

export const sqliteDialect = (file: SqliteFile): Dialect => ({
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new SqliteDriver(file),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
});

const isRead = (query: CompiledQuery): boolean =>
  !isBulkQuery(query) && (SelectQueryNode.is(query.query) || /^\s*select\b/i.test(query.sql));

/**
 * What Kysely takes for a connection. It holds nothing until it writes: a transaction takes the writer from begin to release,
 * a single write for itself, a read outside of a transaction never.
 */
class SqliteConnection implements DatabaseConnection {
  private unlock: (() => void) | undefined;

  constructor(private readonly file: SqliteFile) {}

  async begin(): Promise<void> {
    this.unlock = await this.file.lock();
    try {
      await this.file.begin();
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    this.unlock?.();
    this.unlock = undefined;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return (await this.run(query)) as QueryResult<R>;
  }

  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    await Promise.reject(new Error('Streaming would hold the file; read page by page instead'));
  }

  private run(query: CompiledQuery): QueryResult<unknown> | Promise<QueryResult<unknown>> {
    if (this.unlock) return this.file.writeInTransaction(query);
    return isRead(query) ? this.file.read(query) : this.writeAlone(query);
  }

  private async writeAlone(query: CompiledQuery): Promise<QueryResult<unknown>> {
    const unlock = await this.file.lock();
    try {
      return await this.file.writeAlone(query);
    } finally {
      unlock();
    }
  }
}

class SqliteDriver implements Driver {
  constructor(private readonly file: SqliteFile) {}

  async init(): Promise<void> {}

  acquireConnection(): Promise<SqliteConnection> {
    return Promise.resolve(new SqliteConnection(this.file));
  }

  beginTransaction(connection: SqliteConnection): Promise<void> {
    return connection.begin();
  }

  async commitTransaction(): Promise<void> {
    await Promise.resolve(this.file.commit());
  }

  async rollbackTransaction(): Promise<void> {
    await Promise.resolve(this.file.rollback());
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    await Promise.resolve(connection.release());
  }

  /** The storage closes the file. */
  async destroy(): Promise<void> {}
}
