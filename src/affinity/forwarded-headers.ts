import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** Of one connection only, with those that Connection names. `expect` is answered here before the body comes. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'upgrade', 'expect'] as const; // prettier-ignore

/** @param headers Of the request, without Connection and what it names. @returns those that the target gets; the same object. */
export function forwardedHeaders(headers: IncomingHttpHeaders, { socket, headers: received }: IncomingMessage): IncomingHttpHeaders {
  for (const name of HOP_BY_HOP) delete headers[name];
  const before = headers['x-forwarded-for'];
  const address = socket.remoteAddress ?? 'unknown';
  headers['x-forwarded-for'] = before === undefined ? address : `${String(before)}, ${address}`;
  // Whoever stands before us knows what the client asked; without one it asked us.
  headers['x-forwarded-proto'] ??= 'http';
  if (received.host !== undefined) headers['x-forwarded-host'] ??= received.host;
  return headers;
}

/** The answer's headers, of raw pairs of name and value: without those of the connection, several of a name as a list. */
export function answeredHeaders(raw: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase();
    const value = raw[at + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  const named = [headers['connection'] ?? []].flat().flatMap((value) => value.split(','));
  for (const name of [...named.map((each) => each.trim().toLowerCase()), ...HOP_BY_HOP, 'transfer-encoding']) delete headers[name];
  return headers;
}
