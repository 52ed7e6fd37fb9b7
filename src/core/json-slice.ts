import { GatewayError } from './errors';

/** Levels of nesting that are accepted before anything recursive sees a value. */
export const MAX_JSON_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/**
 * Exact bytes of one JSON value inside a larger text, found by counting brackets and never by parsing. The text must be
 * valid JSON: use `parseJson`. Nothing is copied, and nothing is looked for before it is asked for; each level costs one
 * pass over its bytes.
 */
export class JsonSlice {
  /** Of an object: key start, key end, value start, value end, one after the other. */
  private memberOffsets: number[] | undefined;

  constructor(
    private readonly source: Buffer,
    private readonly start: number,
    private readonly end: number,
  ) {}

  /** The value's own bytes without whitespace around them; a subarray of the whole text. */
  get bytes(): Buffer {
    return this.source.subarray(this.start, this.end);
  }

  get kind(): JsonKind {
    switch (this.source[this.start]) {
      case OPEN_BRACE:
        return 'object';
      case OPEN_BRACKET:
        return 'array';
      case QUOTE:
        return 'string';
      case 0x74: // t
      case 0x66: // f
        return 'boolean';
      case 0x6e: // n
        return 'null';
      default:
        return 'number';
    }
  }

  /** The JSON text. */
  text(): string {
    return this.source.toString('utf8', this.start, this.end);
  }

  /** The value; numbers beyond 2^53 lose digits here, so only for what is looked at, never for what is passed on. */
  parse(): unknown {
    return JSON.parse(this.text());
  }

  /** The value of a JSON string; undefined for any other kind. */
  string(): string | undefined {
    return this.kind === 'string' ? decodeString(this.source, this.start, this.end) : undefined;
  }

  /** The value under a key as JSON.parse would give it (keys unescaped, the last of equal ones); undefined if there is none. */
  member(key: string): JsonSlice | undefined {
    const offsets = this.offsets();
    for (let at = offsets.length - 4; at >= 0; at -= 4) {
      if (isKey(this.source, offsets[at]!, offsets[at + 1]!, key)) return new JsonSlice(this.source, offsets[at + 2]!, offsets[at + 3]!);
    }
    return undefined;
  }

  /** The keys as they stand, unescaped; a doubled one comes twice. Empty for anything but an object. */
  keys(): string[] {
    const offsets = this.offsets();
    const keys: string[] = [];
    for (let at = 0; at < offsets.length; at += 4) keys.push(decodeString(this.source, offsets[at]!, offsets[at + 1]!));
    return keys;
  }

  /** The elements of an array; empty for anything else. */
  elements(): JsonSlice[] {
    const found: JsonSlice[] = [];
    if (this.kind !== 'array') return found;
    let at = skipSpace(this.source, this.start + 1, this.end);
    while (at < this.end && this.source[at] !== CLOSE_BRACKET) {
      const valueEnd = skipValue(this.source, at, this.end);
      found.push(new JsonSlice(this.source, at, valueEnd));
      at = skipSeparator(this.source, valueEnd, this.end);
    }
    return found;
  }

  private offsets(): number[] {
    return (this.memberOffsets ??= this.kind === 'object' ? findMembers(this.source, this.start, this.end) : []);
  }
}

/**
 * Checks a whole text, depth first, and gives its value as a slice.
 * @throws GatewayError `json_too_deep`, `malformed_json`.
 */
export function parseJson(bytes: Buffer, maxDepth: number = MAX_JSON_DEPTH): JsonSlice {
  checkedJson(bytes, maxDepth);
  return sliceJson(bytes);
}

/**
 * Checks a whole text, depth first, and gives its value as JSON.parse does. Bytes that are not UTF-8 are let through inside
 * of strings.
 * @throws GatewayError `json_too_deep`, `malformed_json`.
 */
export function checkedJson(bytes: Buffer, maxDepth: number = MAX_JSON_DEPTH): unknown {
  assertJsonDepth(bytes, maxDepth);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new GatewayError('malformed_json', undefined, { cause: error });
  }
}

/** The value of a text that is known to be valid JSON. */
export function sliceJson(bytes: Buffer): JsonSlice {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1])) end--;
  return new JsonSlice(bytes, skipSpace(bytes, 0, end), end);
}

/** A JSON object of values that are JSON texts already; a key without a value is left out. Keys must need no escapes. */
export function joinObject(members: Record<string, Buffer | undefined>): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of Object.entries(members)) {
    if (value !== undefined) parts.push(Buffer.from(`${parts.length === 0 ? '{' : ','}"${key}":`), value);
  }
  return parts.length === 0 ? Buffer.from('{}') : Buffer.concat([...parts, Buffer.from('}')]);
}

/**
 * Counts open brackets outside of strings; the text need not be valid.
 * @throws GatewayError `json_too_deep` at the first bracket too many.
 */
export function assertJsonDepth(bytes: Buffer, max: number = MAX_JSON_DEPTH): void {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      at = skipString(bytes, at, bytes.length) - 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > max) throw new GatewayError('json_too_deep', `The JSON is nested more than ${max} levels deep.`);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    }
  }
}

function findMembers(source: Buffer, start: number, end: number): number[] {
  const offsets: number[] = [];
  let at = skipSpace(source, start + 1, end);
  while (at < end && source[at] === QUOTE) {
    const keyEnd = skipString(source, at, end);
    const valueStart = skipSpace(source, skipSpace(source, keyEnd, end) + 1, end); // + 1: the colon
    const valueEnd = skipValue(source, valueStart, end);
    offsets.push(at, keyEnd, valueStart, valueEnd);
    at = skipSeparator(source, valueEnd, end);
  }
  return offsets;
}

/** Whether the quoted string from start to before end stands for `key`; decodes only what is not plain ASCII. */
function isKey(source: Buffer, start: number, end: number, key: string): boolean {
  const length = end - start - 2;
  if (length < key.length) return false; // UTF-8 and escapes are never shorter than the text they stand for
  for (let index = 0; index < length; index++) {
    const byte = source[start + 1 + index]!;
    if (byte === BACKSLASH || byte >= 0x80) return decodeString(source, start, end) === key;
    if (byte !== key.charCodeAt(index)) return false;
  }
  return length === key.length;
}

function decodeString(source: Buffer, start: number, end: number): string {
  const text = source.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function skipSpace(source: Buffer, at: number, end: number): number {
  while (at < end && isSpace(source[at])) at++;
  return at;
}

/** From the end of a value to the next one, or to the closing bracket. */
function skipSeparator(source: Buffer, at: number, end: number): number {
  const next = skipSpace(source, at, end);
  return source[next] === COMMA ? skipSpace(source, next + 1, end) : next;
}

/** Bytes of a string that are looked at one by one before the native search, which is faster but dear to call, takes over. */
const SHORT_STRING = 48;

/** Past the closing quote of the string that opens at `at`. */
function skipString(source: Buffer, at: number, end: number): number {
  let next = at + 1;
  while (next < end) {
    const shortEnd = Math.min(next + SHORT_STRING, end);
    for (; next < shortEnd; next++) {
      const byte = source[next];
      if (byte === QUOTE) return next + 1;
      if (byte === BACKSLASH) next++;
    }
    if (next >= end) return end;
    const quote = source.indexOf(QUOTE, next);
    if (quote === -1 || quote >= end) return end;
    if (!isEscaped(source, quote, next)) return quote + 1;
    next = quote + 1;
  }
  return end;
}

/** Whether an odd number of backslashes stands before `at`, of those from `from` on. */
function isEscaped(source: Buffer, at: number, from: number): boolean {
  let first = at;
  while (first > from && source[first - 1] === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

/** Past the end of the value that begins at `at`. Always moves on, so that no loop hangs on a text that is not JSON. */
function skipValue(source: Buffer, at: number, end: number): number {
  const first = source[at];
  if (first === QUOTE) return skipString(source, at, end);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(source, at, end);
  let next = at + 1;
  for (; next < end; next++) {
    const byte = source[next];
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break;
  }
  return next;
}

function skipNested(source: Buffer, at: number, end: number): number {
  let depth = 0;
  for (let next = at; next < end; next++) {
    const byte = source[next]!;
    if (byte === QUOTE) {
      next = skipString(source, next, end) - 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (--depth === 0) return next + 1;
    }
  }
  return end;
}
