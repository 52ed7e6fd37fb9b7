import { Gateway } from '../test/support/gateway';
import { acquireDatabase, acquireVhost } from '../test/support/services/services';
import { Child } from './child';

/** What is measured, in the shape that gateway and bare pipeline have in common. */
export interface Subject {
  readonly kind: 'value' | 'limit';
  readonly path: string;
  /** The port that requests go to. `process`: what comes in is delivered as well. */
  start(options: { accept: boolean; process: boolean }): Promise<number>;
  stop(): Promise<void>;
  /** Removes everything that start made. */
  remove(): Promise<void>;
}

/** `node dist/main.js` on RabbitMQ and PostgreSQL, with signatures checked and one filter that matches. */
export async function gatewaySubject(sinkUrl: string, profileFolder: string | undefined): Promise<Subject> {
  const [vhost, database] = await Promise.all([acquireVhost(), acquireDatabase()]);
  let starts = 0;
  const profiled = (name: string): string[] =>
    profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${++starts}-${name}.cpuprofile`];
  const env = {
    LOG_LEVEL: 'warn',
    NODE_ENV: 'production',
    // One page sends everything here; the spam lane is another queue, not another cost.
    HOOK_SERVER_FACEBOOK_SPAM_THRESHOLD: '1000000000',
    // What a drain starts with is asked for below.
    HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: 'false',
  };
  const gateway = await Gateway.ready({ rabbitMqUrl: vhost.url, databaseUrl: database.url, env });
  await gateway.subscribe(sinkUrl, {}, { applications: ['facebook'] });
  await gateway.terminate();
  return {
    kind: 'value',
    path: '/facebook',
    start: async ({ accept, process }) => {
      const name = !process ? 'ingest' : accept ? 'end-to-end' : 'delivery';
      gateway.start({ HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: String(process) }, profiled(name));
      await gateway.becomesReady();
      return gateway.port;
    },
    stop: async () => {
      await gateway.terminate();
    },
    remove: async () => {
      await gateway.remove();
      await Promise.all([vhost.release(), database.release()]);
    },
  };
}

/** See bare.ts. */
export async function bareSubject(sinkUrl: string): Promise<Subject> {
  const vhost = await acquireVhost();
  let child: Child | undefined;
  return {
    kind: 'limit',
    path: '/facebook',
    start: async ({ accept, process }) => {
      const task = { rabbitMqUrl: vhost.url, queue: 'bare', accept, ...(process ? { deliverTo: sinkUrl } : {}) };
      const started = await Child.start<{ port: number }>('bare', task);
      child = started.child;
      return started.reply.port;
    },
    stop: async () => child?.stop(),
    remove: async () => {
      await child?.stop();
      await vhost.release();
    },
  };
}
