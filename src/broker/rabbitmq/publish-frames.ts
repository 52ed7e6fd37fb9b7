import type { OutgoingMessage } from '../broker';

const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const FRAME_END = 0xce;
/** Type, channel and size before the payload, one byte after it. */
const FRAME_HEAD_BYTES = 7;
const FRAME_BYTES = FRAME_HEAD_BYTES + 1;

const BASIC = 60;
const PUBLISH = 40;
/** A message that reaches no queue comes back. */
const MANDATORY = 1;
const PERSISTENT = 2;
/** Which properties follow: headers, delivery mode, message id; before them the content type where there is one. */
const PROPERTIES = 0x2000 | 0x1000 | 0x0080;
const CONTENT_TYPE = 0x8000;
/** Class, weight, body size and flags before the properties; the length of the table, the delivery mode, the length of the id. */
const HEADER_FIXED_BYTES = 14 + 4 + 1 + 1;
/** Class, method, ticket, two lengths and the flags. */
const METHOD_FIXED_BYTES = 9;
const LONG_STRING = 0x53;
const MAX_SHORT_BYTES = 255;

/**
 * `basic.publish` of a persistent, mandatory message: all its frames in one piece. The library builds the same out of a dozen
 * buffers, which costs more than everything else that a small request does.
 * @param frameMax Bytes in a frame that the broker has agreed to.
 * @throws RangeError when a name is longer than 255 bytes, or the headers do not fit in a frame.
 */
export function encodePublish(channel: number, message: OutgoingMessage, frameMax: number): Buffer {
  const { exchange, routingKey, id, headers, contentType, body } = message;
  const exchangeBytes = shortBytes('exchange', exchange);
  const keyBytes = shortBytes('routing key', routingKey);
  const idBytes = shortBytes('id', id);
  const tableBytes = bytesOfTable(headers);
  const typeBytes = contentType === undefined ? 0 : shortBytes('content type', contentType);
  const headerBytes = HEADER_FIXED_BYTES + tableBytes + idBytes + (contentType === undefined ? 0 : 1 + typeBytes);
  if (headerBytes + FRAME_BYTES > frameMax) throw new RangeError(`Its headers do not fit in a frame of ${String(frameMax)} bytes.`);
  const methodBytes = METHOD_FIXED_BYTES + exchangeBytes + keyBytes;
  const maxBodyBytes = frameMax - FRAME_BYTES;
  const bodyFrames = Math.ceil(body.length / maxBodyBytes);
  const out = Buffer.allocUnsafe(methodBytes + headerBytes + body.length + (2 + bodyFrames) * FRAME_BYTES);

  let at = openFrame(out, 0, METHOD, channel, methodBytes);
  out.writeUInt32BE((BASIC << 16) | PUBLISH, at);
  out.writeUInt16BE(0, at + 4);
  at = writeShort(out, at + 6, exchange, exchangeBytes);
  at = writeShort(out, at, routingKey, keyBytes);
  out[at++] = MANDATORY;
  out[at++] = FRAME_END;

  at = openFrame(out, at, HEADER, channel, headerBytes);
  out.writeUInt32BE(BASIC << 16, at);
  out.writeUInt32BE(0, at + 4);
  out.writeUInt32BE(body.length, at + 8);
  out.writeUInt16BE(contentType === undefined ? PROPERTIES : PROPERTIES | CONTENT_TYPE, at + 12);
  at = contentType === undefined ? at + 14 : writeShort(out, at + 14, contentType, typeBytes);
  out.writeUInt32BE(tableBytes, at);
  at = writeTable(out, at + 4, headers);
  out[at++] = PERSISTENT;
  at = writeShort(out, at, id, idBytes);
  out[at++] = FRAME_END;

  for (let from = 0; from < body.length; from += maxBodyBytes) {
    const bytes = Math.min(maxBodyBytes, body.length - from);
    at = openFrame(out, at, BODY, channel, bytes);
    at += body.copy(out, at, from, from + bytes);
    out[at++] = FRAME_END;
  }
  return out;
}

function openFrame(out: Buffer, at: number, type: number, channel: number, payloadBytes: number): number {
  out[at] = type;
  out.writeUInt16BE(channel, at + 1);
  out.writeUInt32BE(payloadBytes, at + 3);
  return at + FRAME_HEAD_BYTES;
}

function shortBytes(what: string, text: string): number {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_SHORT_BYTES) throw new RangeError(`Its ${what} is longer than ${String(MAX_SHORT_BYTES)} bytes.`);
  return bytes;
}

function writeShort(out: Buffer, at: number, text: string, bytes: number): number {
  out[at] = bytes;
  return at + 1 + out.write(text, at + 1);
}

/** For each header: length and name, type, length and text. */
function bytesOfTable(headers: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const name in headers) bytes += 1 + shortBytes('header’s name', name) + 1 + 4 + Buffer.byteLength(headers[name]!);
  return bytes;
}

function writeTable(out: Buffer, at: number, headers: Readonly<Record<string, string>>): number {
  for (const name in headers) {
    const nameBytes = out.write(name, at + 1);
    out[at] = nameBytes;
    at += 1 + nameBytes;
    out[at] = LONG_STRING;
    const textBytes = out.write(headers[name]!, at + 5);
    out.writeUInt32BE(textBytes, at + 1);
    at += 5 + textBytes;
  }
  return at;
}
