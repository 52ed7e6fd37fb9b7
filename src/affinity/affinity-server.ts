import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import Fastify, { type FastifyInstance } from 'fastify';
import { METHODS } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { HttpConfig, ServerConfig } from '../config/app.config';
import { GatewayError } from '../core/errors';
import { Draining } from '../http/draining';
import { listenOn } from '../http/listen';
import { AffinityHandler } from './affinity-handler';
import { AffinityConfig } from './affinity.config';
import { registerPassing } from './passing';
import { rawRefusal, refusalOf } from './refusal';
import { Upstream } from './upstream';

/** How long requests under way may hold up the end of the process. */
const DRAIN_MS = 10_000;
const SETTINGS = { host: 'affinity.host', port: 'affinity.port' };

/** The affinity proxy: a server on a port of its own, whose every path is the target's. */
@Injectable()
export class AffinityServer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Affinity');
  private running: { fastify: FastifyInstance; upstream: Upstream } | undefined;

  constructor(
    private readonly config: AffinityConfig,
    private readonly http: HttpConfig,
    private readonly server: ServerConfig,
    private readonly handler: AffinityHandler,
    private readonly draining: Draining,
  ) {}

  get isEnabled(): boolean {
    return this.config.enabled;
  }

  /** Where it listens; undefined while it does not. */
  get port(): number | undefined {
    return (this.running?.fastify.server.address() as AddressInfo | null | undefined)?.port;
  }

  /** @throws ListenError */
  async onApplicationBootstrap(): Promise<void> {
    const { enabled, targetUrl, port, mode } = this.config;
    if (!enabled || targetUrl === null) return;
    const upstream = new Upstream(this.config.timeoutMs);
    const fastify = this.build(upstream, targetUrl);
    this.running = { fastify, upstream };
    const url = await listenOn(fastify, { port, host: this.config.host ?? this.server.host }, SETTINGS);
    this.logger.log(`Affinity proxy listens on ${url} for ${targetUrl}, by ${mode}`);
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.running === undefined) return;
    const { fastify, upstream } = this.running;
    const last = setTimeout(() => fastify.server.closeAllConnections(), DRAIN_MS);
    await fastify.close();
    clearTimeout(last);
    await upstream.destroy();
  }

  private build(upstream: Upstream, targetUrl: string): FastifyInstance {
    const { requestTimeoutMs, keepAliveTimeoutMs, headersTimeoutMs, maxConnections } = this.http;
    const fastify = Fastify({
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 5_000 },
      return503OnClosing: false,
      exposeHeadRoutes: false,
      // There is one route; the path is none of its business.
      rewriteUrl: () => '/',
      clientErrorHandler: answerClientError,
    });
    fastify.server.maxConnections = maxConnections;
    for (const method of METHODS) if (method !== 'CONNECT') fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
    registerPassing(fastify, upstream, targetUrl);
    fastify.setErrorHandler((error, _request, reply) => {
      this.logger.error({ err: error }, 'An answer failed');
      const failure = new GatewayError('internal_error');
      void reply.code(failure.status).send(refusalOf(failure));
    });
    fastify.route({
      method: METHODS.filter((method) => method !== 'CONNECT'),
      url: '/',
      handler: (request, reply) => {
        if (this.draining.isDraining) reply.header('connection', 'close');
        void this.handler.handle(request, reply);
      },
    });
    return fastify;
  }
}

/** What Node itself refuses: no request exists yet. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const code = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed_request'; // prettier-ignore
  const refusal = new GatewayError(code);
  socket.end(rawRefusal(refusal.status, refusal));
}
