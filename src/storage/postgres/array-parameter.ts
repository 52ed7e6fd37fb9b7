import type { ColumnType } from './column-types';

/**
 * One array parameter of a statement, in PostgreSQL's binary array format: the driver's own text form turns bytes into hex, twice
 * their size, escapes every string and leaves garbage for each element, and the server has to read it.
 * @throws TypeError, RangeError for a value that is not of the type.
 */
export function arrayParameter(type: ColumnType, values: readonly unknown[]): Buffer {
  switch (type) {
    case 'bytea':
      return binaryArray(values as readonly (Uint8Array | null)[], bytesWriter);
    case 'text':
      return binaryArray(values as readonly (string | null)[], textWriter);
    case 'uuid':
      return binaryArray(values as readonly (string | null)[], uuidWriter);
    case 'int2':
      return binaryArray(values as readonly (number | null)[], int2Writer);
    case 'int4':
      return binaryArray(values as readonly (number | null)[], int4Writer);
    case 'int8':
      return binaryArray(values as readonly (number | null)[], int8Writer);
  }
}

interface ElementWriter<T> {
  /** Object id of the elements' type; PostgreSQL checks it. */
  oid: number;
  length(value: T): number;
  write(value: T, into: Buffer, offset: number): void;
}

const bytesWriter: ElementWriter<Uint8Array> = {
  oid: 17,
  length: (bytes) => bytes.byteLength,
  write: (bytes, into, offset) => into.set(bytes, offset),
};

const textWriter: ElementWriter<string> = {
  oid: 25,
  length: (text) => Buffer.byteLength(text),
  write: (text, into, offset) => into.write(text, offset),
};

const uuidWriter: ElementWriter<string> = { oid: 2950, length: () => 16, write: writeUuid };

const int2Writer: ElementWriter<number> = {
  oid: 21,
  length: () => 2,
  write: (value, into, offset) => into.writeInt16BE(whole(value), offset),
};

const int4Writer: ElementWriter<number> = {
  oid: 23,
  length: () => 4,
  write: (value, into, offset) => into.writeInt32BE(whole(value), offset),
};

const int8Writer: ElementWriter<number> = {
  oid: 20,
  length: () => 8,
  write: (value, into, offset) => {
    into.writeInt32BE(Math.floor(whole(value) / 2 ** 32), offset);
    into.writeUInt32BE(value >>> 0, offset + 4);
  },
};

function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('A number for the database is no whole one');
  return value;
}

const HYPHEN = 0x2d;
/** The value of each hexadecimal digit by its character code. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? 0xff : digit;
});

function writeUuid(id: string, into: Buffer, offset: number): void {
  if (typeof id !== 'string' || id.length !== 36) throw notUuid();
  let end = offset;
  for (let at = 0; at < 36; at += 2) {
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (id.charCodeAt(at) !== HYPHEN) throw notUuid();
      at += 1;
    }
    const high = DIGITS[id.charCodeAt(at)] ?? 0xff;
    const low = DIGITS[id.charCodeAt(at + 1)] ?? 0xff;
    if (high > 0xf || low > 0xf) throw notUuid();
    into[end++] = high * 16 + low;
  }
}

const notUuid = (): TypeError => new TypeError('An id for the database is no UUID');

const HEADER_BYTES = 20;
const NULL_LENGTH = -1;

function binaryArray<T>(values: readonly (T | null | undefined)[], writer: ElementWriter<T>): Buffer {
  let hasNull = 0;
  let size = HEADER_BYTES;
  const lengths = new Array<number>(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      hasNull = 1;
      lengths[i] = NULL_LENGTH;
      size += 4;
    } else {
      const length = writer.length(value);
      lengths[i] = length;
      size += 4 + length;
    }
  }
  const buffer = Buffer.allocUnsafe(size);
  let offset = buffer.writeInt32BE(1, 0); // dimensions
  offset = buffer.writeInt32BE(hasNull, offset);
  offset = buffer.writeInt32BE(writer.oid, offset);
  offset = buffer.writeInt32BE(values.length, offset);
  offset = buffer.writeInt32BE(1, offset); // lower bound
  for (let i = 0; i < values.length; i++) {
    const length = lengths[i] as number;
    offset = buffer.writeInt32BE(length, offset);
    if (length === NULL_LENGTH) continue;
    writer.write(values[i] as T, buffer, offset);
    offset += length;
  }
  return buffer;
}
