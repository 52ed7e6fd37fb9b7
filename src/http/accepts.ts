import { addToRoute } from './route-config';

/**
 * The content types that this route's body may have; any other is refused with 415 before the body is read. A request
 * without a body needs none. Without this decorator a route takes every content type.
 */
export const Accepts = (...contentTypes: [string, ...string[]]): MethodDecorator =>
  addToRoute({ accepts: contentTypes.map((type) => type.toLowerCase()) });
