import {
  GUARDS_METADATA,
  HEADERS_METADATA,
  HTTP_CODE_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PresetAnswer } from '../presets/preset';
import { type DirectTarget, type RouteSettings, addToRoute } from './route-config';

/** A controller's method that answers a request with text; with more where each source of a door has an answer of its own. */
export type DirectMethod = (request: FastifyRequest) => Promise<string | PresetAnswer>;

/**
 * For the doors that many small requests come through: Fastify calls the method itself. Everything in `installGate`, the body's
 * bytes in `request.body`, the status of `@HttpCode`, the headers of `@Header` and problem+json of what it throws are as everywhere;
 * guards, pipes, interceptors and parameters other than `@Req()` are not to be had, and refused at the start. docs/adr/0010.
 */
export const Direct =
  () =>
  <T extends DirectMethod>(prototype: object, name: string | symbol, descriptor: TypedPropertyDescriptor<T>): void => {
    const controller = prototype.constructor as DirectTarget['controller'];
    addToRoute({ direct: { controller, method: String(name) } })(prototype, name, descriptor);
  };

type Answer = (reply: FastifyReply, text: string) => void;

/** Call it before the routes are made. */
export function installDirect(fastify: FastifyInstance, app: NestFastifyApplication): void {
  fastify.addHook('onRoute', (route) => {
    const target = (route.config as RouteSettings | undefined)?.direct;
    if (target === undefined) return;
    assertPlain(target);
    const controller = app.get<Record<string, DirectMethod>>(target.controller, { strict: false });
    const method = controller[target.method]!;
    const status = Reflect.getMetadata(HTTP_CODE_METADATA, method) as number | undefined;
    if (status === undefined) throw new Error(`${nameOf(target)} is direct and needs @HttpCode`);
    const headers = headersOf(target, method);
    const answer: Answer =
      headers === undefined
        ? (reply, text) => void reply.code(status).send(text)
        : (reply, text) => void reply.code(status).headers(headers).send(text);
    route.handler = (request: FastifyRequest, reply: FastifyReply): void => {
      method.call(controller, request).then(
        (given) => (typeof given === 'string' ? answer(reply, given) : sendAnswer(reply, given)),
        (error: unknown) => void reply.send(error instanceof Error ? error : new Error(String(error))),
      );
    };
  });
}

/** Accounts choose these texts: in a browser no script of theirs may run at this gateway's own origin. */
const INERT = "default-src 'none'; sandbox";

/** Sends an answer as it says itself. */
export function sendAnswer(reply: FastifyReply, { status, contentType, body, headers }: PresetAnswer): void {
  if (headers !== undefined) reply.headers(headers);
  if (body !== '') reply.header('content-type', contentType).header('content-security-policy', INERT);
  // Of a text Fastify would add a charset to some types.
  void reply.code(status).send(body === '' ? body : Buffer.from(body));
}

/** @throws Error when something is decorated with what would not run. */
function assertPlain(target: DirectTarget): void {
  const { controller, method } = target;
  const handler = (controller.prototype as Record<string, DirectMethod>)[method]!;
  for (const key of [GUARDS_METADATA, PIPES_METADATA, INTERCEPTORS_METADATA]) {
    if (Reflect.hasMetadata(key, controller) || Reflect.hasMetadata(key, handler)) {
      throw new Error(`${nameOf(target)} is direct: its ${key.replaceAll('_', '')} would not run`);
    }
  }
  const parameters = Object.keys((Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ?? {}) as object);
  if (parameters.length !== 1 || parameters[0] !== `${String(RouteParamtypes.REQUEST)}:0`) {
    throw new Error(`${nameOf(target)} is direct: it takes @Req() and nothing else`);
  }
}

/** What `@Header` says, undefined where there is none: most doors are not to pay for it. @throws Error when a value is worked out for each request. */
function headersOf(target: DirectTarget, method: DirectMethod): Record<string, string> | undefined {
  const headers = (Reflect.getMetadata(HEADERS_METADATA, method) ?? []) as { name: string; value: unknown }[];
  if (headers.length === 0) return undefined;
  return Object.fromEntries(
    headers.map(({ name, value }) => {
      if (typeof value !== 'string') throw new Error(`${nameOf(target)} is direct: its header ${name} must be text`);
      return [name, value];
    }),
  );
}

const nameOf = ({ controller, method }: DirectTarget): string => `${controller.name}.${method}`;
