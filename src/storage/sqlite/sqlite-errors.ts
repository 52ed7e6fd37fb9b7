import { GatewayError } from '../../core/errors';

const SQLITE_BUSY = 5;

/**
 * Result codes that tell of the file or the machine, not of the statement: busy, locked, out of memory, read-only, I/O error,
 * corrupt, full, cannot open, locking protocol, no database.
 */
const OUTAGES = new Set([SQLITE_BUSY, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

/** What an error of the driver holds. */
interface DriverError {
  message?: string;
  code?: string;
  /** The extended result code; its low byte is the primary one. */
  errcode?: number;
}

/** By shape: the native module's errors may come from another realm, where `instanceof Error` is false. */
const shapeOf = (error: unknown): DriverError => (typeof error === 'object' && error !== null ? error : {});

const primaryCode = (error: unknown): number => (shapeOf(error).errcode ?? 0) & 0xff;

const isClosed = (error: unknown): boolean => shapeOf(error).code === 'ERR_INVALID_STATE';

/** True for an error of toStorageError that means: another process holds the file's lock. */
export const isBusy = (error: unknown): boolean => error instanceof GatewayError && primaryCode(error.cause) === SQLITE_BUSY;

/** What the driver threw, as `storage_unavailable` when the database cannot work at all just now. */
export function toStorageError(error: unknown): unknown {
  if (!isClosed(error) && !OUTAGES.has(primaryCode(error))) return error;
  return new GatewayError('storage_unavailable', `SQLite: ${shapeOf(error).message ?? 'unknown error'}`, { cause: error });
}
