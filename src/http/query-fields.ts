import { type FieldProblem, GatewayError } from '../core/errors';
import { PAGE_FIELDS, unknownFields } from './page';

export type Query = Record<string, unknown>;

/**
 * Reads the filters of a list from its query string; `assertValid` throws when any was wrong, or was never asked for.
 * Values are texts, or arrays of texts where a key was given twice.
 */
export class QueryFields {
  private readonly problems: FieldProblem[] = [];
  private readonly known = new Set(PAGE_FIELDS);

  constructor(private readonly query: Query) {}

  text(name: string, maxLength = 256): string | undefined {
    this.known.add(name);
    const value = this.query[name];
    if (value === undefined || value === '') return undefined;
    if (typeof value === 'string' && value.length <= maxLength && !value.includes('\0')) return value;
    this.problems.push({ path: name, message: `must be given once and have at most ${String(maxLength)} characters` });
    return undefined;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined || (allowed as readonly string[]).includes(value)) return value as T | undefined;
    this.problems.push({ path: name, message: `must be one of ${allowed.join(', ')}` });
    return undefined;
  }

  /** Milliseconds since 1970, from an ISO 8601 date or date and time, or from such milliseconds. */
  timeMs(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const timeMs = /^\d{1,14}$/.test(value) && value.length > 8 ? Number(value) : /^\d{4}-\d\d/.test(value) ? Date.parse(value) : NaN;
    if (!Number.isNaN(timeMs)) return timeMs;
    this.problems.push({ path: name, message: 'must be a date and time in ISO 8601, such as 2026-11-22T09:30:00Z' });
    return undefined;
  }

  /** To be called once all filters are read. @throws GatewayError `malformed_request` naming every wrong filter. */
  assertValid(): void {
    this.problems.push(...unknownFields(this.query, [...this.known]));
    if (this.problems.length > 0) throw new GatewayError('malformed_request', 'The query is not valid', { problems: this.problems });
  }
}
