import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import type { CompiledQuery, QueryResult } from 'kysely';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '../../core/errors';
import { isBulkQuery } from '../bulk-query';
import { Mutex } from './mutex';
import { isBusy, toStorageError } from './sqlite-errors';
import { StatementCache } from './statement-cache';

type Parameter = string | number | bigint | null | Uint8Array;

/** Waited in SQLite itself while another process holds the lock; it blocks the event loop, so the rest is waited outside. */
const BUSY_TIMEOUT_MS = 20;
const BUSY_RETRY_MS = 20;
/** In all; within the 5 s in which every request has its answer. */
const BUSY_LIMIT_MS = 4_000;

/**
 * One database file with two connections: everything that writes goes through `writer`, one transaction at a time; single
 * reads use `reader`, which sees the last commit and never waits.
 */
export class SqliteFile {
  private readonly writer: DatabaseSyncInstance;
  private readonly reader: DatabaseSyncInstance;
  private readonly writerStatements: StatementCache;
  private readonly readerStatements: StatementCache;
  private readonly mutex = new Mutex();

  constructor(path: string, options: { readOnly?: boolean } = {}) {
    const readOnly = options.readOnly === true;
    try {
      this.writer = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly });
      // FULL: a commit is on the disk when it returns. The cache is 16 MiB; a log that grew is cut to 64 MiB.
      if (!readOnly) this.writer.exec('pragma journal_mode = wal');
      this.writer.exec(
        'pragma synchronous = full; pragma cache_size = -16384; pragma temp_store = memory; pragma journal_size_limit = 67108864',
      );
      this.reader = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly: true });
    } catch (error) {
      throw toStorageError(error);
    }
    this.writerStatements = new StatementCache(this.writer);
    this.readerStatements = new StatementCache(this.reader);
  }

  lock(): Promise<() => void> {
    return this.mutex.lock();
  }

  /** @throws GatewayError `storage_unavailable` once it is closed. */
  assertOpen(): void {
    if (!this.writer.isOpen) throw new GatewayError('storage_unavailable', 'SQLite: the file is closed');
  }

  /** The caller holds the lock. */
  begin(): Promise<void> {
    return this.whileBusy(() => this.control('begin immediate'));
  }

  commit(): void {
    this.control('commit');
  }

  /** A failed commit may have ended the transaction already. */
  rollback(): void {
    if (this.writer.isOpen && this.writer.isTransaction) this.control('rollback');
  }

  /** From now on all reads see the same moment, until the file is closed. */
  freezeReads(): void {
    mapped(() => this.reader.exec('begin'));
  }

  read(query: CompiledQuery): QueryResult<unknown> {
    return mapped(() => run(this.readerStatements, query));
  }

  /** The caller holds the lock, and with it an open transaction. */
  writeInTransaction(query: CompiledQuery): QueryResult<unknown> {
    return mapped(() => run(this.writerStatements, query));
  }

  /** The caller holds the lock. */
  async writeAlone(query: CompiledQuery): Promise<QueryResult<unknown>> {
    if (!isBulkQuery(query)) return this.whileBusy(() => this.writeInTransaction(query));
    await this.begin();
    try {
      const result = this.writeInTransaction(query);
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  close(): void {
    this.readerStatements.clear();
    this.writerStatements.clear();
    if (this.reader.isOpen) this.reader.close();
    if (this.writer.isOpen) this.writer.close();
  }

  private control(sql: string): void {
    mapped(() => this.writerStatements.get(sql).statement.run());
  }

  /** Another process, such as a backup, may hold the file's lock for a moment. */
  private async whileBusy<T>(work: () => T): Promise<T> {
    const deadline = Date.now() + BUSY_LIMIT_MS;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || Date.now() >= deadline) throw error;
      }
      await delay(BUSY_RETRY_MS);
    }
  }
}

function mapped<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toStorageError(error);
  }
}

function run(statements: StatementCache, query: CompiledQuery): QueryResult<unknown> {
  const { statement, returnsRows } = statements.get(query.sql);
  if (isBulkQuery(query)) {
    // One entry a row: how many rows that run changed.
    return { rows: query.rows.map((row) => statement.run(...row.map(toParameter)).changes) };
  }
  const parameters = query.parameters.map(toParameter);
  if (returnsRows) {
    const rows = statement.all(...parameters);
    return { rows, numAffectedRows: BigInt(rows.length) };
  }
  const { changes, lastInsertRowid } = statement.run(...parameters);
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
}

function toParameter(value: unknown): Parameter {
  switch (typeof value) {
    case 'string':
      // SQLite would keep it and read it back cut; PostgreSQL refuses it too.
      if (value.includes('\0')) throw new TypeError('Text for the database holds a NUL character');
      return value;
    case 'number':
    case 'bigint':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    default:
      if (value === null || value === undefined) return null;
      if (value instanceof Uint8Array) return value;
      throw new TypeError(`A value of type ${typeof value} cannot be stored`);
  }
}
