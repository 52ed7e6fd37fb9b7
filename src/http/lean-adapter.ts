import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, RawServerDefault } from 'fastify';

export type AdapterOptions = FastifyHttpOptions<RawServerDefault> & { skipMiddie?: boolean };

/**
 * Nest's adapter without the hooks that its constructor has Fastify run for every request, for what is not used here: CORS,
 * versions of routes, devtools, and targets that no middleware could match (`installGate` refuses these). docs/adr/0010.
 */
export class LeanAdapter extends FastifyAdapter {
  constructor(options: AdapterOptions) {
    super(options);
    super.setInstance(Object.getPrototypeOf(this.instance) as object);
  }

  /** Called by the constructor: what it adds its hooks to only looks like Fastify. */
  override setInstance<T>(instance: T): void {
    super.setInstance(Object.create(instance as object, { addHook: { value: () => instance } }) as object);
  }
}
