import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isInRanges, parseRange } from '../core/ip-address';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether a trusted proxy is connected, whose headers about the client count; worked out when asked. */
    viaProxy: boolean;
  }
}

/** Whether an address is a trusted proxy's; of a socket that is closed already it is undefined. */
export type Trust = (address: string | undefined) => boolean;

/** @param ranges `http.trustedProxies`. @returns undefined where there are none. */
export function trustIn(ranges: readonly string[]): Trust | undefined {
  const parsed = ranges.map(parseRange).filter((range) => range !== undefined);
  return parsed.length === 0 ? undefined : (address) => address !== undefined && isInRanges(address, parsed);
}

/** Gives requests their `viaProxy`. Fastify's own `trustProxy` makes `request.ip` by the same rule. */
export function installTrustedProxies(fastify: FastifyInstance, ranges: readonly string[]): void {
  const isTrusted = trustIn(ranges) ?? (() => false);
  fastify.decorateRequest('viaProxy', {
    getter(this: FastifyRequest) {
      return isTrusted(this.raw.socket.remoteAddress);
    },
  });
}
