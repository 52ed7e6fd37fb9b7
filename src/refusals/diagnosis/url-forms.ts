import type { SignedRequest } from '../../presets/preset';

/** Ports that proxies listen on or forget. */
const PORTS = ['', ':80', ':443', ':8080', ':8443', ':8069'];
const PREFIX = /^(?:\/[\w.-]+){1,16}$/;
const HOST = /^[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/i;

const MAX_URLS = 120;

/**
 * Public URLs that the sender may have called, as far as the request and what is set tell.
 * @param known Such as `hookServer.publicUrl`; null is not set.
 */
export function publicUrls(known: readonly (string | null)[], { headers }: SignedRequest): string[] {
  const set = known.flatMap((url) => (url !== null && URL.canParse(url) ? [new URL(url)] : []));
  const told = ['host', 'x-forwarded-host', 'x-original-host'].flatMap((name) => firstOf(headers[name]) ?? []);
  const prefix = firstOf(headers['x-forwarded-prefix']) ?? '';
  const hosts = new Set([...set.map(({ host }) => host), ...told.filter((host) => HOST.test(host))]);
  const paths = new Set(
    [...set.map(({ pathname }) => pathname), '', PREFIX.test(prefix) ? prefix : ''].map((path) => path.replace(/\/+$/, '')),
  );
  const urls = new Set<string>();
  for (const host of hosts) {
    const name = host.replace(/:\d+$/, '');
    for (const origin of new Set([host, ...PORTS.map((port) => name + port)])) {
      for (const scheme of ['https://', 'http://']) for (const path of paths) urls.add(scheme + origin + path);
    }
  }
  return [...urls].slice(0, MAX_URLS);
}

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
  const slashed = slashForm(target);
  const forms: TargetForm[] = [
    {
      cause: 'trailing_slash',
      change: `${slashed.length > target.length ? 'stripped of the' : 'given a'} slash at its end`,
      target: slashed,
    },
    { cause: 'path_changed', change: 'given a query', target: target.split('?', 1)[0]! },
    { cause: 'path_changed', change: 'unescaped', target: encodeURI(target) },
    { cause: 'path_changed', change: 'escaped', target: decoded(target) },
  ];
  for (const name of ['x-original-uri', 'x-forwarded-uri', 'x-original-url', 'x-envoy-original-path']) {
    const told = firstOf(headers[name]);
    if (told?.startsWith('/')) forms.push({ cause: 'path_changed', change: `changed by a proxy, which tells so in ${name}`, target: told });
  }
  return forms.filter((form) => form.target !== target);
}

/** With a slash at the end of its path where there is none, without where there is. */
export function slashForm(url: string): string {
  const end = url.search(/[?#]|$/);
  const path = url.slice(0, end);
  return (path.endsWith('/') ? path.slice(0, -1) : `${path}/`) + url.slice(end);
}

function decoded(target: string): string {
  try {
    return decodeURI(target);
  } catch {
    return target;
  }
}
