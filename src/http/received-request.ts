import type { FastifyRequest } from 'fastify';
import type { SignedRequest } from '../presets/preset';
import { bodyOf } from './raw-body';

/**
 * A webhook as it came to a door: what the door verifies and stores. Of one that was refused it is made again from what was kept,
 * so whoever takes it in knows nothing else of the request.
 */
export interface ReceivedRequest extends SignedRequest {
  requestId: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  /** The route's pattern, such as `/in/:token`. */
  route: string;
}

export const receivedOf = (request: FastifyRequest): ReceivedRequest => ({
  requestId: request.id,
  receivedAt: Date.now(),
  route: request.settings.url ?? '',
  method: request.method,
  target: targetOf(request.url),
  headers: request.headers,
  body: bodyOf(request),
  address: request.ip,
  viaProxy: request.viaProxy,
});

/** A proxy may send the whole URL. */
const targetOf = (url: string): string => (url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, ''));
