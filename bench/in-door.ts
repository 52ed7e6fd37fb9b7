import { APP_SECRET, Gateway } from '../test/support/gateway';
import { acquireDatabase, acquireVhost } from '../test/support/services/services';
import type { Bench, BenchContext, FigureLine } from './bench';
import { Child } from './child';
import { Figure } from './figures';
import type { LoadResult, LoadTask } from './load';
import { GATEWAY_ENV } from './subject';

const CONNECTIONS = 64;
const MEASURE_MS = 10_000;

/** Requests through `/in/<token>` of a source of type github against those through `/facebook`, at one process, in turns. */
export const inDoor: Bench = { names: ['in'], run };

async function run({ rounds, scale }: BenchContext): Promise<FigureLine[]> {
  const figure = new Figure('in', 'requests/s');
  const [vhost, database] = await Promise.all([acquireVhost(), acquireDatabase()]);
  const env = { ...GATEWAY_ENV, HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: 'false', SOURCES_PROCESS_ENABLED: 'false', THREADS_ENABLED: 'false' };
  const gateway = await Gateway.ready({ rabbitMqUrl: vhost.url, databaseUrl: database.url, env });
  try {
    const verification = { type: 'github', secret: APP_SECRET };
    const { url } = await gateway.must(201, 'POST', '/api/v1/sources', { name: 'bench', application: 'bench', verification });
    const doors = { value: url as string, limit: '/facebook' } as const;
    const send = async (kind: keyof typeof doors, count: number): Promise<number> => {
      const path = doors[kind];
      const asGithub = kind === 'value';
      const task: LoadTask = {
        port: gateway.port,
        path,
        asGithub,
        secret: APP_SECRET,
        connections: CONNECTIONS,
        count,
        measureMs: MEASURE_MS,
      };
      const { child, reply } = await Child.start<LoadResult>('load', task);
      await child.stop();
      if (reply.refused > 0) throw new Error(`${reply.refused} of ${count} requests were refused.`);
      return reply.perSecond;
    };
    for (const kind of ['value', 'limit'] as const) await send(kind, Math.round(4_000 * scale));
    for (let round = 1; round <= rounds; round++) {
      // Whoever comes second finds fuller queues, so the doors take turns in that too.
      const order = round % 2 === 1 ? (['value', 'limit'] as const) : (['limit', 'value'] as const);
      for (const kind of order) figure.add(kind, await send(kind, Math.round(20_000 * scale)));
    }
    return [figure.line()];
  } finally {
    await gateway.remove();
    await Promise.all([vhost.release(), database.release()]);
  }
}
