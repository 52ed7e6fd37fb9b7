import { GatewayError } from '../../core/errors';

export const SQLITE_BUSY = 5;

/**
 * Result codes that tell of the file or the machine, not of the statement: busy, locked, out of memory, read-only, I/O error,
 * corrupt, full, cannot open, locking protocol, no database.
 */
const OUTAGES = new Set([SQLITE_BUSY, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

/** The driver's errors carry the extended result code; its low byte is the primary one. */
const primaryCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;

const isClosed = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';

export const isBusy = (error: unknown): boolean => primaryCode(error) === SQLITE_BUSY;

/** What the driver threw, as `storage_unavailable` when the database cannot work at all just now. */
export function toStorageError(error: unknown): unknown {
  const code = primaryCode(error);
  if (!isClosed(error) && (code === undefined || !OUTAGES.has(code))) return error;
  return new GatewayError('storage_unavailable', `SQLite: ${(error as Error).message}`, { cause: error });
}
