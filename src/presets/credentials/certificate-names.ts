/** What a proxy says of a client certificate. */
export interface Certificate {
  /** Undefined where the subject has none, or several. */
  commonName?: string | undefined;
  /** URIs and DNS names. */
  alternativeNames: readonly string[];
  /** Hex in lower case without colons. */
  fingerprint?: string | undefined;
}

export const plainFingerprint = (text: string): string => text.replaceAll(':', '').toLowerCase();

/**
 * The common name of a distinguished name as RFC 4514 (and 2253) writes it. Commas and plus signs inside of values are escaped or
 * quoted there; in the older form `/O=…/CN=…` they are not, so a name could be forged: it gives nothing.
 */
export function commonNameOf(distinguishedName: string): string | undefined {
  const names = distinguishedName.startsWith('/')
    ? []
    : splitPlain(distinguishedName, /[,+]/).flatMap((part) => {
        const [, value] = /^\s*(?:CN|2\.5\.4\.3)\s*=\s*(.*)$/is.exec(part) ?? [];
        return value === undefined ? [] : [unescaped(value.trimEnd())];
      });
  return names.length === 1 ? names[0] : undefined;
}

/**
 * The last certificate in an X-Forwarded-Client-Cert: that of the nearest proxy. Those before it are what the client, or proxies before
 * it, wrote.
 */
export function forwardedCertificate(header: string): Certificate {
  const element = splitPlain(header, /,/).at(-1) ?? '';
  const pairs = splitPlain(element, /;/).map((pair): [key: string, value: string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, Math.max(at, 0)).trim().toLowerCase(), unquoted(pair.slice(at + 1).trim())];
  });
  const valuesOf = (key: string): string[] => pairs.filter(([name]) => name === key).map(([, value]) => value);
  const [subject, ...moreSubjects] = valuesOf('subject');
  const [hash, ...moreHashes] = valuesOf('hash');
  return {
    // Proxies do not agree on who escapes a quote or a backslash in it: a name could be forged.
    commonName: subject === undefined || moreSubjects.length > 0 || /\\["\\]/.test(subject) ? undefined : commonNameOf(subject),
    alternativeNames: [...valuesOf('uri'), ...valuesOf('dns')],
    fingerprint: hash === undefined || moreHashes.length > 0 ? undefined : plainFingerprint(hash),
  };
}

/** Splits at what stands outside of quotes and is not escaped. */
function splitPlain(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && separator.test(character)) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** Escapes stay: they are the distinguished name's own. */
const unquoted = (text: string): string => (/^".*"$/s.test(text) ? text.slice(1, -1) : text);

/** Bytes of UTF-8 come as `\C3\A4`, a special character as itself after a backslash. */
function unescaped(value: string): string {
  const plain = /^".*"$/s.test(value) ? value.slice(1, -1) : value;
  return plain.replace(/(?:\\[0-9a-f]{2})+|\\(.)/gis, (all, character?: string) =>
    character === undefined ? Buffer.from(all.replaceAll('\\', ''), 'hex').toString('utf8') : character,
  );
}
