import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants';

/** Where a direct method is found; see direct.ts. */
export interface DirectTarget {
  controller: new (...dependencies: never[]) => object;
  method: string;
}

/** What hooks know of a route before its handler runs: `request.routeOptions.config`. */
export interface RouteSettings {
  /** Content types that its body may have. */
  accepts?: readonly string[];
  /** The source whose webhooks or events come in here. */
  door?: string;
  /** The route's pattern, such as `/in/:token`; Fastify adds it. */
  readonly url?: string;
  /** How its errors look; problem+json where it is not said. */
  errorForm?: 'status-and-msg';
  /** The method that Fastify calls itself. */
  direct?: DirectTarget;
}

/** Adds to the route's settings; Fastify's own decorator would replace what another one set. */
export const addToRoute =
  (settings: RouteSettings): MethodDecorator =>
  (_prototype, _name, descriptor): void => {
    const handler = descriptor.value as object;
    const present = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {}) as RouteSettings;
    Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...present, ...settings }, handler);
  };
