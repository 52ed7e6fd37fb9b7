import type { EndpointRecord } from '../../registry/endpoint-record';

/**
 * The endpoint's own headers and the gateway's, as a flat list. What the endpoint may set was checked when it was saved; its own
 * content type and user agent win.
 */
export function outgoingHeaders(endpoint: Pick<EndpointRecord, 'headers' | 'auth'>, own: Readonly<Record<string, string>>): string[] {
  const flat: string[] = [];
  const taken = new Set<string>();
  for (const [name, value] of Object.entries(endpoint.headers)) {
    taken.add(name.toLowerCase());
    flat.push(name, value);
  }
  const authorization = authorizationOf(endpoint.auth);
  if (authorization !== undefined && !taken.has('authorization')) flat.push('authorization', authorization);
  for (const [name, value] of Object.entries(own)) if (!taken.has(name)) flat.push(name, value);
  return flat;
}

function authorizationOf(auth: EndpointRecord['auth']): string | undefined {
  if (auth?.type === 'bearer') return `Bearer ${String(auth.token)}`;
  if (auth?.type === 'basic') return `Basic ${Buffer.from(`${String(auth.username)}:${String(auth.password)}`).toString('base64')}`;
  return undefined;
}
