import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Injectable, Logger, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '../core/errors';
import { RefusalsService } from '../refusals/refusals.service';
import { DoorRegistry } from './door';
import { PROBLEM_TYPE, RETRY_AFTER_SECONDS, errorOfStatus, problemOf } from './problem';
import { receivedOf } from './received-request';

/** Every error that leaves over HTTP, from handlers, hooks, Fastify and Nest, leaves here as problem+json. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(
    private readonly refusals: RefusalsService,
    private readonly doors: DoorRegistry,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) {
      this.logger.error({ err: thrown, requestId: request.id }, 'Failed after the answer was sent');
      return;
    }
    if (isHealthReport(thrown)) {
      void reply.status(thrown.getStatus()).send(thrown.getResponse());
      return;
    }
    const error = this.gatewayErrorOf(thrown);
    if (error.code === 'internal_error') this.logger.error({ err: thrown, requestId: request.id }, 'A request failed');
    const door = (request.settings as FastifyRequest['settings'] | undefined)?.door;
    if (door !== undefined) this.refuse(door, error, request);
    this.send(error, request, reply);
  }

  private gatewayErrorOf(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    // Its message holds the path, in which tokens may stand.
    if (thrown instanceof NotFoundException) return new GatewayError('not_found');
    if (thrown instanceof HttpException) return errorOfStatus(thrown.getStatus(), thrown.message);
    return new GatewayError('internal_error');
  }

  private refuse(door: string, error: GatewayError, request: FastifyRequest): void {
    const body = Buffer.isBuffer(request.body) ? request.body : undefined;
    const received = receivedOf(request);
    this.refusals.record({
      door,
      ...this.doors.describe(door, received),
      status: error.status,
      code: error.code,
      detail: error.message,
      request: received,
      body,
      bodyBytes: body?.length ?? (Number(request.headers['content-length']) || 0),
    });
  }

  private send(error: GatewayError, request: FastifyRequest, reply: FastifyReply): void {
    const retryAfter = error.retryAfterSeconds ?? (error.status === 503 ? RETRY_AFTER_SECONDS : undefined);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    if (error.status === 401 && error.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
    const isOlder = (request.settings as FastifyRequest['settings'] | undefined)?.errorForm === 'status-and-msg';
    const [type, body] = isOlder
      ? ['application/json', { status: 'error', msg: error.message }]
      : [PROBLEM_TYPE, problemOf(error, request.id)];
    void reply.status(error.status).header('content-type', type).send(JSON.stringify(body));
  }
}

/** The answer of a probe that is not well keeps its own shape. */
const isHealthReport = (thrown: unknown): thrown is HttpException => {
  if (!(thrown instanceof HttpException) || thrown.getStatus() !== 503) return false;
  const response: unknown = thrown.getResponse();
  return typeof response === 'object' && response !== null && 'details' in response && 'status' in response;
};
