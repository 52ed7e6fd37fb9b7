import type { FastifyInstance } from 'fastify';

/** Where the settings say that it listens does not work. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there (set another PORT, or end that program)',
  EACCES: 'this user may not open it (set a PORT of 1024 or more)',
  EADDRNOTAVAIL: 'it is no address of this machine (set HOST)',
  ENOTFOUND: 'the name cannot be resolved (set HOST)',
  EAI_AGAIN: 'the name cannot be resolved (set HOST)',
};

/** @returns the URL. @throws ListenError that names the setting. */
export async function listenOn(fastify: FastifyInstance, { port, host }: { port: number; host: string }): Promise<string> {
  try {
    return await fastify.listen({ port, host });
  } catch (error) {
    const why = WHY_NOT[(error as NodeJS.ErrnoException).code ?? ''];
    if (why === undefined) throw error;
    throw new ListenError(`Cannot listen on ${host} port ${String(port)}: ${why}`);
  }
}
