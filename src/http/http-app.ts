import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpConfig } from '../config/app.config';
import { GatewayError } from '../core/errors';
import { newId } from '../core/ids';
import { BodyPipe } from './body.pipe';
import { installDirect } from './direct';
import { DoorRegistry } from './door';
import { Draining } from './draining';
import { installGate } from './gate';
import { LeanAdapter } from './lean-adapter';
import { PROBLEM_TYPE, errorOfStatus, problemOf } from './problem';
import { ProblemFilter } from './problem.filter';
import { installRawBody } from './raw-body';
import { installTrustedProxies, trustIn } from './trusted-proxies';

/** Options of `NestFactory.create` that go with `httpAdapter` and `configureHttp`. */
export const HTTP_APP_OPTIONS = { bodyParser: false, bufferLogs: true, abortOnError: false } as const;

/** Of one part of a path. The longest ids have 128 characters, and each may take twelve where it is escaped. */
const MAX_PARAMETER_LENGTH = 2_048;

/** How long requests under way may hold up the end of the process; their clients may be slow on purpose. */
const LAST_ANSWERS_MS = 5_000;

export function httpAdapter(config: HttpConfig): FastifyAdapter {
  const adapter = new LeanAdapter({
    bodyLimit: config.maxBodyBytes,
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    http: { headersTimeout: config.headersTimeoutMs, connectionsCheckingInterval: 5_000, maxHeaderSize: 16_384 },
    genReqId: newId,
    requestIdHeader: false,
    trustProxy: trustIn(config.trustedProxies) ?? false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    // While closing, requests on connections that are still open are served: what they need is closed after them.
    return503OnClosing: false,
    // Nest adds no middleware here; its plug-in would cost each request a pass.
    skipMiddie: true,
    clientErrorHandler: answerClientError,
    // Its message holds the path, in which tokens may stand.
    frameworkErrors: ({ statusCode = 400 }: { statusCode?: number }, request: FastifyRequest, reply: FastifyReply) => {
      const problem = problemOf(errorOfStatus(statusCode, 'A part of the path is too long or wrongly escaped'), request.id);
      void reply.status(problem.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(problem));
    },
  });
  adapter.getInstance().server.maxConnections = config.maxConnections;
  return adapter;
}

/** Call it before `init` or `listen`. */
export function configureHttp(app: NestFastifyApplication): void {
  const { maxBodyBytes, trustedProxies } = app.get(HttpConfig, { strict: false });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('preClose', (done) => {
    setTimeout(() => fastify.server.closeAllConnections(), LAST_ANSWERS_MS).unref();
    done();
  });
  installDirect(fastify, app);
  installTrustedProxies(fastify, trustedProxies);
  installRawBody(fastify, maxBodyBytes);
  installGate(fastify, { doors: app.get(DoorRegistry), draining: app.get(Draining), maxBodyBytes });
  app.useGlobalPipes(new BodyPipe());
  app.useGlobalFilters(app.get(ProblemFilter));
}

/** What Node itself refuses: no request exists yet, so the answer is written by hand. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const gatewayError = status === 400 ? new GatewayError('malformed_request', 'This is not HTTP/1.1') : errorOfStatus(status, '');
  const body = JSON.stringify(problemOf(new GatewayError(gatewayError.code), newId()));
  socket.end(
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `content-length: ${String(Buffer.byteLength(body))}\r\nconnection: close\r\n\r\n${body}`,
  );
}
