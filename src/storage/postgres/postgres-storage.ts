import { Logger } from '@nestjs/common';
import { CompiledQuery, Kysely, type Transaction, sql } from 'kysely';
import type { Pool } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError, isOutage } from '../../core/errors';
import { migrate } from '../migrations/migrate';
import type { Schema } from '../schema';
import { type InsertRow, type Queryable, Storage } from '../storage';
import { writeProbe } from '../write-probe';
import { bulkInsert } from './bulk-insert';
import { ensurePartitions } from './partitions';
import { postgresDialect } from './postgres-dialect';
import { isRetryable } from './postgres-errors';
import { MAINTENANCE_TIMEOUT_MS, type PostgresOptions, createMaintenancePool, createPool } from './postgres-pool';
import { StatementNames } from './statement-names';

const QUERY_TIMEOUT_MS = 4_500;
const CLOSE_TIMEOUT_MS = 3_000;
const START_RETRY_MS = 1_000;
const MAINTENANCE_INTERVAL_MS = 3_600_000;
const MAX_TRANSACTION_TRIES = 5;

/** The storage of production: one PostgreSQL for all processes. */
export class PostgresStorage extends Storage {
  readonly engine = 'postgres';
  readonly db: Kysely<Schema>;
  private readonly logger = new Logger(PostgresStorage.name);
  private readonly pool: Pool;
  private ready = false;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: PostgresOptions) {
    super();
    this.pool = createPool(options);
    this.db = new Kysely<Schema>({
      dialect: postgresDialect({
        pool: this.pool,
        names: options.preparedStatements ? new StatementNames() : undefined,
        queryTimeoutMs: QUERY_TIMEOUT_MS,
        assertReady: () => this.assertReady(),
      }),
    });
  }

  /**
   * Brings the tables up to date. When the server is away, resolves all the same: queries throw `storage_unavailable` until it
   * was reached, which is tried every second. @throws what a migration throws for another reason.
   */
  static async open(options: PostgresOptions): Promise<PostgresStorage> {
    const storage = new PostgresStorage(options);
    try {
      await storage.maintain();
      storage.schedule(MAINTENANCE_INTERVAL_MS);
    } catch (error) {
      if (!isOutage(error)) {
        await storage.close();
        throw error;
      }
      storage.logger.warn(`${(error as Error).message}; it is tried again every second`);
      storage.schedule(START_RETRY_MS);
    }
    return storage;
  }

  transaction<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.persist(() => this.db.transaction().execute(work));
  }

  async execute<R>(query: CompiledQuery<R>): Promise<R[]> {
    return (await this.persist(() => this.db.executeQuery(query))).rows;
  }

  private async persist<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt >= MAX_TRANSACTION_TRIES || !isRetryable(error)) throw error;
      }
      // Apart by chance, so that the same two do not meet again.
      await delay(Math.random() * 20 * attempt);
    }
  }

  snapshot<T>(work: (db: Queryable) => Promise<T>): Promise<T> {
    return this.db.transaction().execute(async (trx) => {
      await sql`set transaction isolation level repeatable read, read only`.execute(trx);
      return work(trx);
    });
  }

  async insertMany<T extends keyof Schema>(on: Queryable, table: T, rows: readonly InsertRow<T>[]): Promise<void> {
    if (rows.length === 0) return;
    const { text, parameters } = bulkInsert(table, rows);
    await on.executeQuery(CompiledQuery.raw(text, parameters));
  }

  async insertNewKeys(on: Queryable, rows: readonly InsertRow<'event_keys'>[]): Promise<Set<string>> {
    if (rows.length === 0) return new Set();
    // Two transactions that insert the same keys wait for each other in the same order, so never in a circle.
    const sorted = [...rows].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const { text, parameters } = bulkInsert('event_keys', sorted);
    const inserted = await on.executeQuery<{ key: string }>(CompiledQuery.raw(`${text} on conflict do nothing returning key`, parameters));
    return new Set(inserted.rows.map((row) => row.key));
  }

  probe(): Promise<boolean> {
    return writeProbe(this.db);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    // A server that hangs must not keep us.
    await Promise.race([this.pool.end(), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  private assertReady(): void {
    if (!this.ready) throw new GatewayError('storage_unavailable', 'PostgreSQL has not been reached since the start');
  }

  private schedule(delayMs: number): void {
    if (this.closed) return;
    this.timer = setTimeout(() => void this.maintainAgain(), delayMs).unref();
  }

  private async maintainAgain(): Promise<void> {
    const wasReady = this.ready;
    try {
      await this.maintain();
      if (!wasReady) this.logger.log('PostgreSQL was reached');
    } catch (error) {
      const text = `The tables of PostgreSQL cannot be brought up to date: ${(error as Error).message}`;
      if (!isOutage(error)) this.logger.error(text, (error as Error).stack);
      else if (wasReady) this.logger.warn(text);
    }
    this.schedule(this.ready ? MAINTENANCE_INTERVAL_MS : START_RETRY_MS);
  }

  /** Migrations and partitions, on a connection that may take its time. */
  private async maintain(): Promise<void> {
    const pool = createMaintenancePool(this.options);
    const db = new Kysely<Schema>({ dialect: postgresDialect({ pool, queryTimeoutMs: MAINTENANCE_TIMEOUT_MS }) });
    try {
      const applied = await db.transaction().execute(async (trx) => {
        const names = await migrate(trx, 'postgres');
        await ensurePartitions(trx, Date.now());
        return names;
      });
      for (const name of applied) this.logger.log(`Migration ${name} was applied`);
      this.ready = true;
    } finally {
      await Promise.race([pool.end(), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    }
  }
}
