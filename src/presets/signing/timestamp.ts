import { GatewayError } from '../../core/errors';
import type { SignedRequest } from '../preset';
import type { TimestampRule } from './scheme';

/** Seconds are told from milliseconds by size: this many seconds are the year 5138, this many milliseconds 1973. */
const FIRST_MILLISECONDS = 1e11;

/** @throws GatewayError `signature_missing`, `signature_invalid` for what is no number. */
export function signedTimestamp(rule: TimestampRule | undefined, request: SignedRequest): string {
  if (rule === undefined) return '';
  const text = rule.of(request);
  if (text === undefined || text === '') throw new GatewayError('signature_missing', `There is no ${rule.title}`);
  if (!/^\d{1,14}$/.test(text)) throw new GatewayError('signature_invalid', `${rule.title} is no time in Unix seconds`);
  return text;
}

/** Of what `signedTimestamp` gave. */
export function timeMsOf(timestamp: string): number {
  const number = Number(timestamp);
  return number < FIRST_MILLISECONDS ? number * 1_000 : number;
}

/**
 * Only for a request whose signature holds: another's timestamp says nothing.
 * @throws GatewayError `signature_expired`.
 */
export function assertTimely(rule: TimestampRule | undefined, timestamp: string, nowMs: number): void {
  if (rule === undefined) return;
  // By whole seconds, as all of the platforms' own libraries do.
  const ageSeconds = Math.floor(nowMs / 1_000) - Math.floor(timeMsOf(timestamp) / 1_000);
  if (Math.abs(ageSeconds) <= rule.toleranceSeconds) return;
  const distance = `${String(Math.abs(ageSeconds))} s ${ageSeconds > 0 ? 'before' : 'after'} it came in`;
  throw new GatewayError('signature_expired', `${rule.title} is ${distance}, and ${String(rule.toleranceSeconds)} s are allowed`);
}
