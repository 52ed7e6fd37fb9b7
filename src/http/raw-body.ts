import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '../core/errors';

type Done = (error: Error | null, body?: Buffer) => void;

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * Makes every body the raw bytes as they were before compression, whatever its content type. A compressed body is collected
 * first and inflated in one call with a limit, so a bomb is never larger in memory than a permitted body.
 *
 * Fastify is told that these methods have no body: its parsers make an async resource for each request, which costs more than
 * all the rest of a small one.
 */
export function installRawBody(fastify: FastifyInstance, maxBytes: number): void {
  fastify.removeAllContentTypeParsers();
  for (const method of METHODS) fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  const withBody = new Set<string>(METHODS);
  fastify.addHook('preValidation', (request, _reply, done) => {
    if (!withBody.has(request.method) || !hasBody(request.headers)) {
      done();
      return;
    }
    const finish: Done = (error, body) => {
      request.body = body;
      done(error ?? undefined);
    };
    collect(request.raw, maxBytes, (error, body) => {
      if (error !== null || !isGzip(request.headers['content-encoding'])) finish(error, body);
      else inflate(body as Buffer, maxBytes, finish);
    });
  });
}

const EMPTY = Buffer.alloc(0);

/** The body's bytes; none when there was no body. */
export const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : EMPTY);

/** A header of any other name than those that Node makes lists of. */
export const headerOf = (request: { headers: IncomingHttpHeaders }, name: string): string | undefined =>
  request.headers[name] as string | undefined;

export const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');

export const isGzip = (contentEncoding: string | undefined): boolean => contentEncoding?.trim().toLowerCase() === 'gzip';

/** True for what `installRawBody` can read: nothing, `identity`, or one `gzip`. */
export const isKnownEncoding = (contentEncoding: string | undefined): boolean =>
  contentEncoding === undefined || isGzip(contentEncoding) || ['', 'identity'].includes(contentEncoding.trim().toLowerCase());

export const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError('body_too_large', `The body is larger than ${String(maxBytes)} bytes`);

function collect(payload: Readable, maxBytes: number, done: Done): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let finished = false;
  // The listeners stay: what still comes is read and thrown away, so that the client gets to see the answer.
  const finish = (error: Error | null, body?: Buffer): void => {
    if (finished) return;
    finished = true;
    done(error, body);
  };
  payload.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (finished) return;
    if (length > maxBytes) finish(tooLarge(maxBytes));
    else chunks.push(chunk);
  });
  payload.on('end', () => finish(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length)));
  payload.on('error', (error) => finish(new GatewayError('malformed_request', 'The body ended too early', { cause: error })));
}

function inflate(body: Buffer, maxBytes: number, done: Done): void {
  gunzip(body, { maxOutputLength: maxBytes }, (error, inflated) => {
    if (error === null) done(null, inflated);
    else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') done(tooLarge(maxBytes));
    else done(new GatewayError('malformed_request', 'The body is not valid gzip', { cause: error }));
  });
}
