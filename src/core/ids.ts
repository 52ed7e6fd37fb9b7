import { randomFillSync } from 'node:crypto';

/** Bytes of chance in each id; so many ids' worth are asked for at once. */
const RANDOM_BYTES = 8;
const pool = Buffer.alloc(512 * RANDOM_BYTES);
let usedBytes = pool.length;

/** What the last id was made of: its millisecond, that one's digits, and which id of the millisecond it was. */
let lastMs = 0;
let lastTime = '';
let count = 0;
const MAX_COUNT = 0xfff;

/**
 * A UUIDv7: sorts by the millisecond it was made in, so tables partition by ranges of it, and within the process in the order in which
 * they were made. By hand, since an id of the package `uuid` left 1.2 KB of garbage.
 */
export function newId(): string {
  const nowMs = Date.now();
  if (nowMs > lastMs || count === MAX_COUNT) {
    lastMs = Math.max(nowMs, lastMs + 1);
    lastTime = timeDigits(lastMs);
    count = 0;
  } else {
    count += 1;
  }
  const random = randomDigits();
  return `${lastTime}-${(0x7000 + count).toString(16)}-${random.slice(0, 4)}-${random.slice(4)}`;
}

/** 16 hexadecimal digits, of which the first says that this is a UUID. */
function randomDigits(): string {
  if (usedBytes === pool.length) {
    randomFillSync(pool);
    usedBytes = 0;
  }
  const start = usedBytes;
  usedBytes += RANDOM_BYTES;
  pool[start] = (pool[start]! & 0x3f) | 0x80;
  return pool.toString('hex', start, usedBytes);
}

function timeDigits(timeMs: number): string {
  const hex = timeMs.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** The smallest UUIDv7 of a millisecond; ids made from then on are greater or equal. */
export const firstIdAt = (timeMs: number): string => `${timeDigits(Math.max(0, Math.floor(timeMs)))}-7000-8000-000000000000`;

/** The millisecond in which a UUIDv7 was made. */
export const timeOfId = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID; anything else can be no id of ours, and PostgreSQL would refuse it as one. */
export const isId = (text: string): boolean => UUID.test(text);

/** This boot of this process: the owner of the leases that it takes. */
export const BOOT_ID = newId();
