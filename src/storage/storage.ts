import type { CompiledQuery, Kysely, Transaction } from 'kysely';
import type { Schema } from './schema';

export type Engine = 'sqlite' | 'postgres';

/** A transaction, or the database itself for a single statement. */
export type Queryable = Kysely<Schema> | Transaction<Schema>;

/**
 * The port to the database: one Kysely schema over two engines, in `sqlite/` and `postgres/`; test/conformance/storage holds
 * both to it. Every query that meets a database that is away throws GatewayError `storage_unavailable`, within 5 s.
 */
export abstract class Storage {
  abstract readonly engine: Engine;
  abstract readonly db: Kysely<Schema>;

  /** Commits when `work` resolves, rolls back when it throws. Serialisation failures and deadlocks are tried again. */
  abstract transaction<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T>;

  /** Runs one statement that commits by itself. Serialisation failures and deadlocks are tried again. */
  abstract execute<R>(query: CompiledQuery<R>): Promise<R[]>;

  /** Reads of one moment, however many statements they take; they hold up no one who writes. Not for writing. */
  abstract snapshot<T>(work: (db: Queryable) => Promise<T>): Promise<T>;

  /**
   * Inserts many rows with one statement's cost, whatever their number: arrays on PostgreSQL, one prepared statement on
   * SQLite. All rows have the same columns.
   */
  abstract insertMany<T extends keyof Schema>(on: Queryable, table: T, rows: readonly InsertRow<T>[]): Promise<void>;

  /** As insertMany, but leaves out rows whose primary key is there; returns the keys that were new. */
  abstract insertNewKeys(on: Queryable, rows: readonly InsertRow<'event_keys'>[]): Promise<Set<string>>;

  /** True when a small write commits; never throws. */
  abstract probe(): Promise<boolean>;

  abstract close(): Promise<void>;
}

/** A row to insert: every column but generated ones; those with a default may be left out. */
export type InsertRow<T extends keyof Schema> = T extends 'ledger_deltas'
  ? Omit<Schema['ledger_deltas'], 'id'>
  : T extends 'deliveries'
    ? Omit<Schema['deliveries'], 'attempts_before'> & { attempts_before?: number }
    : Schema[T];
