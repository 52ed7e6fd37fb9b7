import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type CompiledQuery, Kysely, type Transaction } from 'kysely';
import { bulkQuery } from '../bulk-query';
import { migrate } from '../migrations/migrate';
import type { Schema } from '../schema';
import { type InsertRow, type Queryable, Storage } from '../storage';
import { writeProbe } from '../write-probe';
import { sqliteDialect } from './sqlite-dialect';
import { SqliteFile } from './sqlite-file';

/** The embedded storage: one file, in process, no set-up. */
export class SqliteStorage extends Storage {
  readonly engine = 'sqlite';

  readonly db: Kysely<Schema>;

  private constructor(
    private readonly path: string,
    private readonly file: SqliteFile,
  ) {
    super();
    this.db = new Kysely<Schema>({ dialect: sqliteDialect(file) });
  }

  /** Opens the file, makes it and its folder where there are none, and brings its tables up to date. */
  static async open(path: string, options: { readOnly?: boolean } = {}): Promise<SqliteStorage> {
    if (!options.readOnly) mkdirSync(dirname(path), { recursive: true });
    const storage = new SqliteStorage(path, new SqliteFile(path, options));
    try {
      // BEGIN IMMEDIATE lets one runner at a time in: in WAL mode it is as good as EXCLUSIVE.
      if (!options.readOnly) await storage.transaction((trx) => migrate(trx, 'sqlite'));
    } catch (error) {
      await storage.close();
      throw error;
    }
    return storage;
  }

  transaction<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.db.transaction().execute(work);
  }

  /** On connections of its own: they may stay for a while, and others read the newest meanwhile. */
  async snapshot<T>(work: (db: Queryable) => Promise<T>): Promise<T> {
    this.file.assertOpen();
    const file = new SqliteFile(this.path, { readOnly: true });
    try {
      file.freezeReads();
      return await work(new Kysely<Schema>({ dialect: sqliteDialect(file) }));
    } finally {
      file.close();
    }
  }

  async execute<R>(query: CompiledQuery<R>): Promise<R[]> {
    return (await this.db.executeQuery(query)).rows;
  }

  async insertMany<T extends keyof Schema>(on: Queryable, table: T, rows: readonly InsertRow<T>[]): Promise<void> {
    const [first] = rows;
    if (!first) return;
    const columns = Object.keys(first) as (keyof InsertRow<T> & string)[];
    await on.executeQuery(
      bulkQuery(
        insertText(table, columns),
        rows.map((row) => columns.map((column) => row[column])),
      ),
    );
  }

  async insertNewKeys(on: Queryable, rows: readonly InsertRow<'event_keys'>[]): Promise<Set<string>> {
    const [first] = rows;
    if (!first) return new Set();
    const columns = Object.keys(first) as (keyof InsertRow<'event_keys'>)[];
    const { rows: changes } = await on.executeQuery(
      bulkQuery<number>(
        `${insertText('event_keys', columns)} on conflict do nothing`,
        rows.map((row) => columns.map((column) => row[column])),
      ),
    );
    return new Set(rows.filter((_, index) => changes[index] === 1).map((row) => row.key));
  }

  probe(): Promise<boolean> {
    return writeProbe(this.db);
  }

  async close(): Promise<void> {
    await Promise.resolve(this.file.close());
  }
}

const insertText = (table: string, columns: readonly string[]): string =>
  `insert into "${table}" (${columns.map((column) => `"${column}"`).join(', ')}) values (${columns.map(() => '?').join(', ')})`;
