/** How an attempt ended, as far as the policy needs to know. */
export interface AttemptEnd {
  /** The answer's HTTP status; null when there was none. */
  status: number | null;
  /** The HTTP status, or a short error code. */
  code: string;
  /** The answer's Retry-After header. */
  retryAfter: string | null;
}

export type DeadClass = 'receiver' | 'pipeline';

export type Verdict =
  | { kind: 'delivered' }
  | { kind: 'waiting'; delayMs: number }
  | { kind: 'dead'; reason: string; deadClass: DeadClass }
  /** The endpoint says that it is no more: it is to be disabled. */
  | { kind: 'gone' };

export interface RetryContext {
  /** Waits between attempts, in seconds; empty means a single attempt. */
  schedule: readonly number[];
  /** Attempts made, this one included. */
  attemptCount: number;
  nowMs: number;
  /** From 0 to 1; spreads the waits. */
  random: number;
}

/** Each wait is drawn from within this share of it, so that what failed together does not come back together. */
const JITTER = 0.2;

const THROTTLED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The receiver, or what stands before it, has no room for any delivery just now. */
export const isThrottled = (status: number): boolean => THROTTLED.has(status);

/**
 * Codes of attempts that failed on our side: a setting, something that is not kept (yet), the resolver, this machine's network. They are retried all the same, since a setting or a name can be
 * mended meanwhile; when the schedule is spent the delivery is dead in the class `pipeline`.
 */
const PIPELINE_CODES: ReadonlySet<string> = new Set([
  'address_refused',
  'invalid_request',
  'secret_unreadable',
  'not_configured',
  'thread_not_found',
  'dns_unavailable',
  'local_error',
]);

/** True for the code of an attempt that failed by our own fault: it is never held against the receiver. */
export const isOurFault = (code: string): boolean => PIPELINE_CODES.has(code);

/** Faults that no retry mends: the delivery is dead at once, in the class `pipeline`. */
export type PipelineFault = 'event_missing' | 'event_unreadable';

/** 2xx is success, whatever follows the status line; 3xx is a failure as any other; 410 is final; the rest is retried. */
export function verdictOf(end: AttemptEnd, context: RetryContext): Verdict {
  if (end.status !== null && end.status >= 200 && end.status < 300) return { kind: 'delivered' };
  if (end.status === 410) return { kind: 'gone' };
  const waitSeconds = context.schedule[context.attemptCount - 1];
  if (waitSeconds === undefined) {
    return { kind: 'dead', reason: end.code, deadClass: isOurFault(end.code) ? 'pipeline' : 'receiver' };
  }
  const askedMs = end.status !== null && isThrottled(end.status) ? retryAfterMs(end.retryAfter, context.nowMs) : undefined;
  return { kind: 'waiting', delayMs: delayMs(waitSeconds * 1_000, askedMs, context.random) };
}

/** The jitter goes both ways, but never before the time that the receiver asked for, nor out of its bounds. */
function delayMs(waitMs: number, askedMs: number | undefined, random: number): number {
  if (askedMs === undefined) return Math.round(waitMs * (1 - JITTER + 2 * JITTER * random));
  const leastMs = Math.min(2 * waitMs, Math.max(waitMs, askedMs));
  return Math.round(Math.min(2 * waitMs, leastMs + waitMs * JITTER * random));
}

/** Milliseconds that a Retry-After asks for, as seconds or as an HTTP date; undefined when it is neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : Math.max(0, timeMs - nowMs);
}
