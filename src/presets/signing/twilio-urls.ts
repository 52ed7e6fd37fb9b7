import { parse, stringify } from 'node:querystring';

/** Scheme, user and password, host, port. */
const ORIGIN = /^(https?:\/\/)([^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)(:\d*)?/i;

/** @param publicUrl Under which Twilio calls the gateway; a path in it stands before the target's. */
export const publicUrlOf = (publicUrl: string, target: string): string => publicUrl.replace(/[?#].*$/s, '').replace(/\/+$/, '') + target;

/**
 * The URLs under which Twilio may have signed a request. Likeliest first: as it was configured, without and with its port; then as
 * `new URL()` writes it, and with its query escaped once more, for those of Twilio's servers that sign a URL after reading it.
 * @param url With the query exactly as it came.
 */
export function* signedUrls(url: string): Generator<string> {
  const asConfigured = portForms(url);
  yield* asConfigured;
  const rewritten = new Set(rewrittenForms(url));
  for (const form of asConfigured) rewritten.delete(form);
  yield* rewritten;
}

function portForms(url: string): string[] {
  const [origin = '', scheme = '', user = '', host = '', port = ''] = ORIGIN.exec(url) ?? [];
  const rest = url.slice(origin.length);
  const standard = scheme.toLowerCase() === 'https://' ? ':443' : ':80';
  return [scheme + user + host + rest, scheme + user + host + (port || standard) + rest];
}

function rewrittenForms(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const forms = portForms(new URL(url).href);
  return [...forms, ...forms.map(withEscapedQuery)];
}

function withEscapedQuery(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? url : `${url.slice(0, at)}?${stringify(parse(url.slice(at + 1)))}`;
}
