import type { FieldProblem } from '../../../core/errors';

/** The gateway's own, and those that frame the request: an endpoint's headers must not change them. */
const RESERVED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'expect',
  'te',
  'trailer',
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible characters, blanks and Latin-1; above all neither CR nor LF. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const isReserved = (name: string): boolean => RESERVED.has(name.toLowerCase()) || name.toLowerCase().startsWith('webhook-');

/** What is wrong with an endpoint's own headers; they are refused when saved, so that no delivery fails by them. */
export function headerProblems(headers: Readonly<Record<string, unknown>>): FieldProblem[] {
  const problems = Object.entries(headers).map(([name, value]) => {
    const path = `headers.${name}`;
    if (!TOKEN.test(name)) return { path, message: 'is no name of a header' };
    if (isReserved(name)) return { path, message: 'is set by the gateway' };
    if (typeof value !== 'string' || !VALUE.test(value)) return { path, message: 'must be text without line breaks or control characters' };
    return undefined;
  });
  return problems.filter((problem) => problem !== undefined);
}

/** The endpoint's headers under the gateway's, as a flat list. The endpoint may set its own content type and user agent. */
export function outgoingHeaders(custom: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>): string[] {
  const flat: string[] = [];
  const overridden = new Set<string>();
  for (const [name, value] of Object.entries(custom)) {
    if (isReserved(name)) continue;
    overridden.add(name.toLowerCase());
    flat.push(name, value);
  }
  for (const [name, value] of Object.entries(own)) if (!overridden.has(name)) flat.push(name, value);
  return flat;
}
