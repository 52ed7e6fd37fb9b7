import type { FastifyInstance } from 'fastify';

/** Where the settings say that it listens does not work. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** The settings that say where, as an operator writes them. */
interface Names {
  host: string;
  port: string;
}

const whyNot = ({ host, port }: Names): Readonly<Record<string, string>> => ({
  EADDRINUSE: `another program listens there (set another ${port}, or end that program)`,
  EACCES: `this user may not open it (set a ${port} of 1024 or more)`,
  EADDRNOTAVAIL: `it is no address of this machine (set ${host})`,
  ENOTFOUND: `the name cannot be resolved (set ${host})`,
  EAI_AGAIN: `the name cannot be resolved (set ${host})`,
});

/** @returns the URL. @throws ListenError that names the setting. */
export async function listenOn(
  fastify: FastifyInstance,
  { port, host }: { port: number; host: string },
  names: Names = { host: 'HOST', port: 'PORT' },
): Promise<string> {
  try {
    return await fastify.listen({ port, host });
  } catch (error) {
    const why = whyNot(names)[(error as NodeJS.ErrnoException).code ?? ''];
    if (why === undefined) throw error;
    throw new ListenError(`Cannot listen on ${host} port ${String(port)}: ${why}`);
  }
}
