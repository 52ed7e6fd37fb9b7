import type { SignedRequest } from '../../presets/preset';

/** Ports that proxies listen on or forget. */
const PORTS = ['', ':80', ':443', ':8080', ':8443', ':8069'];
const HOST = /^[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i;

/** Public URLs that the sender may have called instead of the configured one, as far as the request tells. */
export function publicUrls(publicUrl: string | null, { headers }: SignedRequest): string[] {
  const { host: own = '', path = '' } = publicUrl === null || !URL.canParse(publicUrl) ? {} : partsOf(new URL(publicUrl));
  const told = [headers.host, headers['x-forwarded-host'], headers['x-original-host']].flatMap((value) => firstOf(value) ?? []);
  const prefixes = [headers['x-forwarded-prefix']].flatMap((value) => firstOf(value) ?? []).filter((value) => /^\/[\w./-]*$/.test(value));
  const hosts = new Set([own, ...told.filter((value) => HOST.test(value))].filter((value) => value !== ''));
  const paths = new Set([path, '', ...prefixes].map((value) => value.replace(/\/+$/, '')));
  const urls = new Set<string>();
  for (const host of hosts) {
    const ports = [host, ...PORTS.map((port) => host.replace(/:\d+$/, '') + port)];
    for (const origin of new Set(ports))
      for (const scheme of ['https://', 'http://']) for (const rest of paths) urls.add(scheme + origin + rest);
  }
  if (publicUrl !== null) urls.delete(publicUrl.replace(/\/+$/, ''));
  return [...urls].slice(0, MAX_URLS);
}

const MAX_URLS = 120;

const partsOf = ({ host, pathname }: URL): { host: string; path: string } => ({ host, path: pathname });

const firstOf = (value: string | string[] | undefined): string | undefined =>
  String(value ?? '')
    .split(',', 1)[0]
    ?.trim() || undefined;

export interface TargetForm {
  cause: 'trailing_slash' | 'path_changed';
  /** As in "the path was …". */
  change: string;
  target: string;
}

/** Path and query as they may have been before a proxy changed them. */
export function targetForms({ target, headers }: SignedRequest): TargetForm[] {
  const [path = '', query] = split(target);
  const rest = query === undefined ? '' : `?${query}`;
  const forms: TargetForm[] = [
    { cause: 'trailing_slash', change: 'stripped of the slash at its end', target: `${path}/${rest}` },
    { cause: 'trailing_slash', change: 'given a slash at its end', target: path.replace(/\/+$/, '') + rest },
    { cause: 'path_changed', change: 'given a query', target: path },
    { cause: 'path_changed', change: 'unescaped', target: encodeURI(target) },
    { cause: 'path_changed', change: 'escaped', target: decoded(target) },
  ];
  for (const name of ['x-original-uri', 'x-forwarded-uri', 'x-original-url', 'x-envoy-original-path']) {
    const told = firstOf(headers[name]);
    if (told?.startsWith('/')) forms.push({ cause: 'path_changed', change: `changed by a proxy, which tells so in ${name}`, target: told });
  }
  const prefix = firstOf(headers['x-forwarded-prefix']);
  if (prefix?.startsWith('/'))
    forms.push({ cause: 'path_changed', change: 'stripped of its prefix', target: prefix.replace(/\/+$/, '') + target });
  return forms.filter((form) => form.target !== target);
}

function split(target: string): [string, string | undefined] {
  const at = target.indexOf('?');
  return at === -1 ? [target, undefined] : [target.slice(0, at), target.slice(at + 1)];
}

function decoded(target: string): string {
  try {
    return decodeURI(target);
  } catch {
    return target;
  }
}
