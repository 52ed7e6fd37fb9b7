import type { IncomingHttpHeaders } from 'node:http';

/** All of a request's headers have 16 KiB, by Node; the broker's message has room for those. */
export class KeptHeaders {
  private readonly names: readonly string[];
  private readonly prefixes: readonly string[];

  /** @param names In lower case; one that ends in `*` is all that begin so. */
  constructor(names: readonly string[]) {
    const isPrefix = (name: string): boolean => name.endsWith('*');
    this.names = [...new Set(names.filter((name) => !isPrefix(name)))];
    this.prefixes = names.filter(isPrefix).map((name) => name.slice(0, -1));
  }

  /** Those of a request; undefined where there is none. */
  of(headers: IncomingHttpHeaders): Record<string, string> | undefined {
    let kept: Record<string, string> | undefined;
    for (const name of this.names) {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
      if (value !== undefined) (kept ??= {})[name] = String(value);
    }
    if (this.prefixes.length === 0) return kept;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && this.prefixes.some((prefix) => name.startsWith(prefix))) (kept ??= {})[name] = String(value);
    }
    return kept;
  }
}
