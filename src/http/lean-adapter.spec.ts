import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { LeanAdapter } from './lean-adapter';

class RecordingAdapter extends FastifyAdapter {
  declare hooks: string[];

  override setInstance<T>(instance: T): void {
    super.setInstance(instance);
    const hooks: string[] = (this.hooks = []);
    const fastify = instance as FastifyInstance;
    fastify.addHook = ((name: string) => hooks.push(name)) as unknown as FastifyInstance['addHook'];
  }
}

it('leaves out what is known: look at a hook that Nest adds anew before adding it here', () => {
  expect(new RecordingAdapter({}).hooks).toEqual(['onRequest', 'onRequest', 'onRequest', 'onRequest', 'onResponse']);
});

it('takes hooks of our own', async () => {
  const fastify = new LeanAdapter({}).getInstance<FastifyInstance>();
  fastify.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-seen', 'yes');
    done();
  });
  fastify.get('/', () => 'here');

  const { body, headers } = await fastify.inject('/');
  expect({ body, seen: headers['x-seen'] }).toEqual({ body: 'here', seen: 'yes' });
  await fastify.close();
});
