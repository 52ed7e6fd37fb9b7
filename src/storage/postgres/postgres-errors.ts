import { DatabaseError } from 'pg';
import { GatewayError } from '../../core/errors';

/** SQLSTATE classes that tell of the server or the way to it: connection, authorisation, resources (disk, memory, connections), system. */
const OUTAGE_CLASSES = new Set(['08', '28', '53', '58']);
const OUTAGE_CODES = new Set([
  '25006', // read-only: a standby, or a disk that went read-only
  '3D000', // the database is not there (yet)
  '55P03', // a lock was not to be had in time
  '57014', // the statement's time was over
  '57P01', // shutting down
  '57P02', // crashed
  '57P03', // starting up
  '57P04', // the database was dropped
  '57P05', // idle for too long
  '0A000', // a prepared statement's result changed with a migration; prepared anew on the next connection
  '26000', // a prepared statement is gone; same
]);
const RETRYABLE_CODES = new Set(['40001', '40P01']);

const isServerOutage = (code: string): boolean => OUTAGE_CLASSES.has(code.slice(0, 2)) || OUTAGE_CODES.has(code);

/**
 * True when the connection, or the way to the server, is of no more use. What the server did not say itself comes from the
 * connection (refused, cut, timed out); mistakes in our own parameters are TypeErrors.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof DatabaseError) return isServerOutage(error.code ?? '') && error.code !== '57014' && error.code !== '55P03';
  return !(error instanceof TypeError || error instanceof RangeError || error instanceof GatewayError);
}

/** What the driver threw, as `storage_unavailable` when the database cannot work just now. */
export function toStorageError(error: unknown): unknown {
  const away = error instanceof DatabaseError ? isServerOutage(error.code ?? '') : isConnectionLost(error);
  if (!away) return error;
  return new GatewayError('storage_unavailable', `PostgreSQL: ${messageOf(error)}`, { cause: error });
}

/** Another transaction got in between; the same one may pass the next time. */
export const isRetryable = (error: unknown): boolean => error instanceof DatabaseError && RETRYABLE_CODES.has(error.code ?? '');

/** A row with the same key is there; the statement did nothing. */
export const isUniqueViolation = (error: unknown): boolean => error instanceof DatabaseError && error.code === '23505';

/** A connection refused on several addresses has no message of its own. */
function messageOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || 'unknown error';
}
