import { GatewayError } from './errors';

/** Levels of nesting that are accepted before anything recursive sees a value. */
export const MAX_JSON_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/**
 * Exact bytes of one JSON value inside a larger text, never serialised again. The text must be valid JSON: use `parseJson`. Its
 * values are found in one pass (`indexJson`); nothing is copied before it is asked for.
 */
export class JsonSlice {
  private readonly start: number;
  private readonly end: number;

  constructor(
    private readonly source: Buffer,
    private readonly index: JsonIndex,
    /** Of the value in the index. */
    private readonly at: number,
  ) {
    this.start = index[at]!;
    this.end = index[at + 1]!;
  }

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
    const { source, index } = this;
    let found = -1;
    for (let at = this.firstMember(); at + ENTRY < this.next(); at = index[at + ENTRY + 2]!) {
      if (isKey(source, index[at]!, index[at + 1]!, key)) found = at + ENTRY;
    }
    return found === -1 ? undefined : new JsonSlice(source, index, found);
  }

  /** The keys as they stand, unescaped; a doubled one comes twice. Empty for anything but an object. */
  keys(): string[] {
    const { source, index } = this;
    const keys: string[] = [];
    for (let at = this.firstMember(); at + ENTRY < this.next(); at = index[at + ENTRY + 2]!) {
      keys.push(decodeString(source, index[at]!, index[at + 1]!));
    }
    return keys;
  }

  /** The members as JSON.parse has them (keys unescaped, the last of equal ones); empty for anything but an object. */
  members(): Map<string, JsonSlice> {
    const { source, index } = this;
    const members = new Map<string, JsonSlice>();
    for (let at = this.firstMember(); at + ENTRY < this.next(); at = index[at + ENTRY + 2]!) {
      members.set(decodeString(source, index[at]!, index[at + 1]!), new JsonSlice(source, index, at + ENTRY));
    }
    return members;
  }

  /** The elements of an array; empty for anything else. */
  elements(): JsonSlice[] {
    const found: JsonSlice[] = [];
    if (this.kind !== 'array') return found;
    const next = this.next();
    for (let at = this.at + ENTRY; at < next; at = this.index[at + 2]!) found.push(new JsonSlice(this.source, this.index, at));
    return found;
  }

  /** Where in the index an object's first key stands; for any other kind, past its end. */
  private firstMember(): number {
    return this.source[this.start] === OPEN_BRACE ? this.at + ENTRY : this.next();
  }

  /** Where in the index the value after this one stands, with all that is in this one left out. */
  private next(): number {
    return this.index[this.at + 2]!;
  }
}

/**
 * Checks a whole text, depth first, and gives its value as a slice.
 * @throws GatewayError `json_too_deep`, `malformed_json`.
 */
export function parseJson(bytes: Buffer, maxDepth: number = MAX_JSON_DEPTH): JsonSlice {
  const index = indexJson(bytes, maxDepth);
  parseNatively(bytes);
  return new JsonSlice(bytes, index, 0);
}

/**
 * Checks a whole text, depth first, and gives its value as JSON.parse does. Bytes that are not UTF-8 are let through inside
 * of strings.
 * @throws GatewayError `json_too_deep`, `malformed_json`.
 */
export function checkedJson(bytes: Buffer, maxDepth: number = MAX_JSON_DEPTH): unknown {
  assertJsonDepth(bytes, maxDepth);
  return parseNatively(bytes);
}

function parseNatively(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new GatewayError('malformed_json', undefined, { cause: error });
  }
}

/** The value of a text that is known to be valid JSON. */
export const sliceJson = (bytes: Buffer): JsonSlice => new JsonSlice(bytes, indexJson(bytes, Infinity), 0);

/** A JSON object of values that are JSON texts already; a key without a value is left out. Keys must be ASCII without escapes. */
export function joinObject(members: Record<string, Buffer | undefined>): Buffer {
  // Each with its quotes, its colon and what stands before it; then the closing brace.
  let size = 1;
  for (const key in members) size += sizeOf(members[key], key.length + 4);
  if (size === 1) return Buffer.from('{}');
  const joined = Buffer.allocUnsafe(size);
  let end = 0;
  for (const key in members) {
    const value = members[key];
    if (value === undefined) continue;
    end += joined.write(`${end === 0 ? '{' : ','}"${key}":`, end);
    joined.set(value, end);
    end += value.length;
  }
  joined[end] = CLOSE_BRACE;
  return joined;
}

const sizeOf = (value: Buffer | undefined, around: number): number => (value === undefined ? 0 : value.length + around);

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
      if (++depth > max) throw tooDeep(max);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    }
  }
}

const tooDeep = (max: number): GatewayError => new GatewayError('json_too_deep', `The JSON is nested more than ${max} levels deep.`);

/**
 * Of each value of a text, in the order in which they begin, an object's keys among them: where it starts, where it ends, and
 * where in the index the value after it stands.
 */
type JsonIndex = readonly number[];

/** Numbers a value. */
const ENTRY = 3;

/**
 * One pass over the bytes; the text need not be valid, but only of a valid one is the index right.
 * @throws GatewayError `json_too_deep` at the first bracket too many.
 */
function indexJson(source: Buffer, maxDepth: number): JsonIndex {
  const index: number[] = [];
  /** Where the open arrays and objects stand in the index. */
  const open: number[] = [];
  const end = source.length;
  let at = 0;
  while (at < end) {
    const byte = source[at]!;
    if (byte === QUOTE) {
      const start = at;
      at = skipString(source, at, end);
      index.push(start, at, index.length + ENTRY);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (open.length === maxDepth) throw tooDeep(maxDepth);
      open.push(index.length);
      index.push(at++, end, 0);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      at++;
      close(index, open.pop(), at);
    } else if (byte === COMMA || byte === COLON || isSpace(byte)) {
      at++;
    } else {
      const start = at;
      at = skipLiteral(source, at, end);
      index.push(start, at, index.length + ENTRY);
    }
  }
  while (open.length > 0) close(index, open.pop(), end);
  if (index.length === 0) index.push(end, end, ENTRY);
  return index;
}

function close(index: number[], container: number | undefined, at: number): void {
  if (container === undefined) return;
  index[container + 1] = at;
  index[container + 2] = index.length;
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

/** Past the number, `true`, `false` or `null` that begins at `at`; by a byte at least, so that no loop hangs on what is not JSON. */
function skipLiteral(source: Buffer, at: number, end: number): number {
  let next = at + 1;
  for (; next < end; next++) {
    const byte = source[next];
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break;
  }
  return next;
}
