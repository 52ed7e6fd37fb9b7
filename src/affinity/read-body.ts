import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../core/errors';
import { hasBody, tooLarge } from '../http/raw-body';
import type { BodySignature } from '../presets/signing/body-signature';
import { mayBeJson } from './actor';
import { peekBody } from './peek-body';

/** A body that was read, or one that streams from its beginning; null: there is none. */
export type Body = Buffer | IncomingMessage | null;

const EMPTY = Buffer.alloc(0);

/**
 * Reads what has to be known before the request goes on: the JSON of a POST, and every POST that must be signed. All else streams, and
 * so does JSON that is larger than `maxBytes`.
 * @param assertSigned undefined: nothing must be signed.
 * @throws GatewayError `body_too_large`, `signature_missing`, `signature_invalid`, `malformed_request`.
 */
export async function readBody(request: IncomingMessage, assertSigned: BodySignature | undefined, maxBytes: number): Promise<Body> {
  const { headers, method } = request;
  if (method !== 'POST') return hasBody(headers) ? request : null;
  const isSigned = assertSigned !== undefined;
  const isJson = mayBeJson(headers['content-type']) && headers['content-encoding'] === undefined;
  const body = await bytesOf(request, isSigned || isJson ? maxBytes : 0);
  if (isSigned) {
    if (body === undefined) throw tooLarge(maxBytes);
    assertSigned(body, headers['x-spark-signature'] as string | undefined);
  }
  if (body?.length === 0) throw new GatewayError('malformed_request', 'The POST has no body');
  return body ?? request;
}

/** undefined when there are more than `maxBytes`; of these none is lost. */
async function bytesOf(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  if (!hasBody(request.headers)) return EMPTY;
  if (Number(request.headers['content-length']) > maxBytes) return undefined;
  try {
    return await peekBody(request, maxBytes);
  } catch (error) {
    throw new GatewayError('malformed_request', 'The body ended too early', { cause: error });
  }
}
