import { parseSetCookie } from 'set-cookie-parser';

/** What an answer says of the load balancer's cookie. */
export type CookieChange = { kind: 'set'; value: string; expiresAtMs: number } | { kind: 'removed' };

/** As long as browsers keep a cookie at most. */
const LONGEST_MS = 400 * 86_400_000;

/**
 * @param setCookies Each Set-Cookie of the answer; the last one of the name counts.
 * @param ttlMs For a cookie that says nothing of its end.
 * @returns undefined when no cookie of the name is set.
 */
export function cookieChange(
  setCookies: readonly string[],
  { name, ttlMs, nowMs }: { name: string; ttlMs: number; nowMs: number },
): CookieChange | undefined {
  const cookie = parseSetCookie([...setCookies], { decodeValues: false, silent: true })
    .filter((each) => each.name === name)
    .at(-1);
  if (cookie === undefined) return undefined;
  const { value, maxAge, expires } = cookie;
  // Max-Age wins over Expires (RFC 6265, 5.3).
  const lifeMs = maxAge === undefined ? (expires === undefined ? ttlMs : expires.getTime() - nowMs) : maxAge * 1_000;
  if (lifeMs <= 0) return { kind: 'removed' };
  return { kind: 'set', value, expiresAtMs: nowMs + Math.min(lifeMs, LONGEST_MS) };
}

/** The Cookie header with this one in it, instead of another of its name; all others as they were. */
export function withCookie(header: string | undefined, name: string, value: string): string {
  const others = (header ?? '').split(';').flatMap((part) => {
    const pair = part.trim();
    return pair === '' || pair.split('=', 1)[0]?.trimEnd() === name ? [] : [pair];
  });
  return [...others, `${name}=${value}`].join('; ');
}
