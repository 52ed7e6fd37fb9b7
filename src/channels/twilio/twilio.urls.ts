import { parse, stringify } from 'node:querystring';

/** Scheme, user and password, host, port. */
const ORIGIN = /^(https?:\/\/)([^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)(:\d*)?/i;

/** The URLs under which Twilio may have signed a request to this gateway. */
export class SignedUrls {
  private readonly base: string;

  /** @param publicUrl Under which Twilio calls the gateway; a path in it stands before ours. */
  constructor(publicUrl: string) {
    this.base = publicUrl.replace(/[?#].*$/s, '').replace(/\/+$/, '');
  }

  /**
   * Likeliest first: as it was configured, without and with its port; then as `new URL()` writes it, and with its query escaped
   * once more, for those of Twilio's servers that sign a URL after reading it.
   * @param target The request's target, path and query, exactly as it came.
   */
  *of(target: string): Generator<string> {
    const url = this.base + target;
    const asConfigured = portForms(url);
    yield* asConfigured;
    const rewritten = new Set(rewrittenForms(url));
    for (const form of asConfigured) rewritten.delete(form);
    yield* rewritten;
  }
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
