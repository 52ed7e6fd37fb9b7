/** So many wrong codes within the window lock their address. */
export const MOST_WRONG_CODES = 5;
const WINDOW_MS = 15 * 60_000;
const LOCK_MS = 15 * 60_000;

/** Wrong codes that are older than this say nothing any more. */
export const WRONG_CODES_KEPT_MS = WINDOW_MS + LOCK_MS;

/**
 * Until when an address is locked, in milliseconds since 1970; undefined when it never was. A right code in between changes nothing:
 * else whoever knows one secret could go on guessing another.
 * @param times of its last wrong codes, the newest first.
 */
export function lockedUntil(times: readonly number[]): number | undefined {
  const newest = times[0];
  const first = times[MOST_WRONG_CODES - 1];
  return newest !== undefined && first !== undefined && newest - first <= WINDOW_MS ? newest + LOCK_MS : undefined;
}

/** What wrong codes are counted by: an IPv4 address, or the /64 network of an IPv6 one, since a host has all of that. */
export function callerOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  return [...groups, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}

const MOST_CALLERS = 10_000;

/**
 * The wrong codes that this process has seen, of the callers that sent some last. It knows of each before the storage does, so that of a
 * burst no more codes are tried than of a row.
 */
export class WrongCodes {
  private readonly times = new Map<string, readonly number[]>();

  add(caller: string, atMs: number): void {
    this.set(caller, [atMs, ...this.of(caller)].slice(0, MOST_WRONG_CODES));
  }

  /** Takes over what all processes know. */
  set(caller: string, times: readonly number[]): void {
    this.times.delete(caller);
    this.times.set(caller, times);
    if (this.times.size <= MOST_CALLERS) return;
    const [oldest] = this.times.keys();
    if (oldest !== undefined) this.times.delete(oldest);
  }

  of(caller: string): readonly number[] {
    return this.times.get(caller) ?? [];
  }
}
