import { Pool, types } from 'pg';

export interface PostgresOptions {
  url: string;
  poolSize: number;
  preparedStatements: boolean;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** The server gives up a little earlier than we do: then the connection survives. */
const STATEMENT_TIMEOUT_MS = 4_300;
const IDLE_TRANSACTION_MS = 30_000;
/** For migrations and partitions. */
export const MAINTENANCE_TIMEOUT_MS = 600_000;
const MAINTENANCE_LOCK_MS = 2_000;

const INT8_OID = 20;
const NUMERIC_OID = 1700;

/** Sums of int8 are numeric. None of ours passes 2^53. */
const parsers = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID || oid === NUMERIC_OID ? Number : (types.getTypeParser(oid, format) as unknown)) as typeof types.getTypeParser,
};

export const createPool = (options: PostgresOptions): Pool =>
  open(options, options.poolSize, options.preparedStatements ? { statement_timeout: STATEMENT_TIMEOUT_MS } : {});

/** One connection that may take its time, but not make others wait for its locks. */
export const createMaintenancePool = (options: PostgresOptions): Pool =>
  open(options, 1, options.preparedStatements ? { lock_timeout: MAINTENANCE_LOCK_MS } : {});

/** Poolers take no timeouts at the start of a connection. */
function open(options: PostgresOptions, max: number, timeouts: { statement_timeout?: number; lock_timeout?: number }): Pool {
  const pool = new Pool({
    connectionString: options.url,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'hookline',
    types: parsers,
    ...timeouts,
    ...(options.preparedStatements ? { idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS } : {}),
  });
  // A connection that dies while nobody uses it: the pool has dropped it, the next query makes another.
  pool.on('error', () => undefined);
  // One that dies between two statements of a transaction: the next statement fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
