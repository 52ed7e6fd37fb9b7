import type { ColumnType } from './column-types';

/** Object ids of the element types that are sent in binary; PostgreSQL checks them. */
const BYTEA_OID = 17;
const TEXT_OID = 25;

/**
 * One array parameter of a statement. Bytes and free text go in PostgreSQL's binary array format: the driver's own text form
 * turns bytes into hex, twice their size, and escapes every string. The others need no escaping.
 */
export function arrayParameter(type: ColumnType, values: readonly unknown[]): Buffer | string {
  switch (type) {
    case 'bytea':
      return binaryArray(BYTEA_OID, values as readonly (Uint8Array | null)[], bytesWriter);
    case 'text':
      return binaryArray(TEXT_OID, values as readonly (string | null)[], textWriter);
    case 'uuid':
    case 'int2':
    case 'int4':
    case 'int8':
      return plainArray(values);
  }
}

interface ElementWriter<T> {
  length(value: T): number;
  write(value: T, into: Buffer, offset: number): void;
}

const bytesWriter: ElementWriter<Uint8Array> = {
  length: (bytes) => bytes.byteLength,
  write: (bytes, into, offset) => into.set(bytes, offset),
};

const textWriter: ElementWriter<string> = {
  length: (text) => Buffer.byteLength(text),
  write: (text, into, offset) => into.write(text, offset),
};

const HEADER_BYTES = 20;
const NULL_LENGTH = -1;

function binaryArray<T>(elementOid: number, values: readonly (T | null | undefined)[], writer: ElementWriter<T>): Buffer {
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
  offset = buffer.writeInt32BE(elementOid, offset);
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

const PLAIN = /^[0-9a-fA-F-]+$/;

/** Numbers and UUIDs: nothing in them means anything to the array syntax; anything else stops here. */
function plainArray(values: readonly unknown[]): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) text += ',';
    if (value === null || value === undefined) {
      text += 'NULL';
    } else if (typeof value === 'number') {
      text += value;
    } else {
      if (typeof value !== 'string' || !PLAIN.test(value)) throw new TypeError('An id for the database is no UUID');
      text += value;
    }
  }
  return `${text}}`;
}
