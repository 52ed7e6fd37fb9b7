import { GatewayError } from '../../core/errors';

/** Query parameters: a doubled one is an array. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Of a request's target, decoded as a form is. */
export function queryOf(target: string): Query {
  const query = Object.create(null) as Record<string, string | string[]>;
  const at = target.indexOf('?');
  if (at === -1) return query;
  for (const [name, value] of new URLSearchParams(`&${target.slice(at + 1)}`)) {
    const present = query[name];
    if (present === undefined) query[name] = value;
    else if (typeof present === 'string') query[name] = [present, value];
    else present.push(value);
  }
  return query;
}

/** @throws GatewayError `malformed_request` for a doubled one. */
export function singleOf(query: Query, name: string): string | undefined {
  const value = query[name];
  if (typeof value === 'object') throw new GatewayError('malformed_request', `${name} is given more than once`);
  return value;
}
