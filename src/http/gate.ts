import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '../core/errors';
import { mediaTypeOf } from '../core/media-type';
import type { DoorRegistry } from './door';
import type { Draining } from './draining';
import { hasBody, isKnownEncoding, tooLarge } from './raw-body';
import type { RouteSettings } from './route-config';

declare module 'fastify' {
  interface FastifyRequest {
    /** The route's own settings; looked up once, since `routeOptions` is made anew at each access. */
    settings: RouteSettings;
    /** What its path names, where its door is many sources: whatever the door found. */
    named: unknown;
  }
}

export interface GateOptions {
  doors: DoorRegistry;
  draining: Draining;
  maxBodyBytes: number;
}

const NO_SETTINGS: RouteSettings = {};

/**
 * Refuses what can be refused before a handler runs, cheapest first: a route or door that is not there (404), a body that is too
 * large (413), of another type or encoding (415); once the body is there, a door that lacks its secret (503).
 */
export function installGate(fastify: FastifyInstance, options: GateOptions): void {
  const { doors, draining } = options;
  // Set by the first hook, before anyone can read it.
  fastify.decorateRequest('settings', null as unknown as RouteSettings);
  fastify.decorateRequest('named', null);

  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    if (draining.isDraining) reply.header('connection', 'close');
    if (request.is404 || !isPath(request.url)) {
      request.settings = NO_SETTINGS;
      done(new GatewayError('not_found', `There is no ${request.method} ${pathOf(request.url)}`));
      return;
    }
    request.settings = request.routeOptions.config;
    const { door } = request.settings;
    if (door === undefined) reply.headers(API_HEADERS);
    const goOn = (named: unknown): void => {
      request.named = named;
      done(named === undefined ? new GatewayError('not_found', `This /${door ?? ''} URL is not known`) : refusalOf(request, options));
    };
    const found = door === undefined ? null : doors.find(door, request);
    if (found instanceof Promise) found.then(goOn, done);
    else goOn(found);
  });

  fastify.addHook('preHandler', (request, _reply, done) => {
    const { door } = request.settings;
    const missing = door === undefined ? undefined : doors.missingSetting(door, request.method);
    done(missing === undefined ? undefined : new GatewayError('channel_not_configured', `${missing} is not set`));
  });
}

/** No token is as short, and nothing is escaped in it. */
const WORD = /^[\w.-]{0,32}$/;

/** Only so much of a path that is not there: a mistyped URL may hold a token, and whoever keeps the answer would keep it. */
function pathOf(url: string): string {
  const [path = ''] = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  if (path.startsWith('/api/')) return path;
  const [first = '', rest] = path.slice(1).split(/\/(.*)/s, 2);
  return `/${WORD.test(first) ? first : '***'}${rest === undefined ? '' : '/***'}`;
}

/** The router would take `*facebook` for `/facebook`. */
const isPath = (target: string): boolean => target.startsWith('/') || /^https?:\/\//i.test(target);

/** Pages of our own override the policy. */
const API_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

function refusalOf(request: FastifyRequest, { doors, maxBodyBytes }: GateOptions): GatewayError | undefined {
  const { headers, settings } = request;
  if (settings.door !== undefined && !doors.isEnabled(settings.door)) {
    return new GatewayError('not_found', `${settings.door} is switched off`);
  }
  if (!hasBody(headers)) return undefined;
  if (Number(headers['content-length']) > maxBodyBytes) return tooLarge(maxBodyBytes);
  if (settings.accepts !== undefined && !settings.accepts.includes(mediaTypeOf(headers['content-type']))) {
    return new GatewayError('unsupported_media_type', `This route takes ${settings.accepts.join(', ')}`);
  }
  if (!isKnownEncoding(headers['content-encoding'])) {
    return new GatewayError('unsupported_encoding', 'This route takes plain bodies and one Content-Encoding: gzip');
  }
  return undefined;
}
