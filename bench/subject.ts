import { Gateway } from '../test/support/gateway';
import { acquireDatabase, acquireVhost } from '../test/support/services/services';
import { Child } from './child';

/** What is measured, in the shape that gateway and bare pipeline have in common. */
export interface Subject {
  readonly kind: 'value' | 'limit';
  readonly path: string;
  /** Of the process that was started last. */
  readonly pid: number | undefined;
  /** The port that requests go to. `process`: what comes in is delivered as well. */
  start(options: { accept: boolean; process: boolean }): Promise<number>;
  stop(): Promise<void>;
  /** Removes everything that start made. */
  remove(): Promise<void>;
}

export const GATEWAY_ENV = {
  LOG_LEVEL: 'warn',
  NODE_ENV: 'production',
  // Pages send far more here than anywhere else; the spam lane is another queue, not another cost.
  HOOK_SERVER_FACEBOOK_SPAM_THRESHOLD: '1000000000',
} as const;

/** Filters of the same account, application and event type; one of them matches. */
const FILTERS = 100;

/** `node dist/main.js` on RabbitMQ and PostgreSQL, with signatures checked and one of FILTERS that matches. */
export async function gatewaySubject(
  sinkUrl: string,
  profileFolder: string | undefined,
  settings: NodeJS.ProcessEnv = {},
): Promise<Subject> {
  const [vhost, database] = await Promise.all([acquireVhost(), acquireDatabase()]);
  let starts = 0;
  const profiled = (name: string): string[] =>
    profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${++starts}-${name}.cpuprofile`];
  // What a drain starts with is asked for below.
  const env = { ...GATEWAY_ENV, ...settings, HOOK_SERVER_FACEBOOK_PROCESS_ENABLED: 'false' };
  const gateway = await Gateway.ready({ rabbitMqUrl: vhost.url, databaseUrl: database.url, env });
  const { id } = await gateway.subscribe(sinkUrl, {}, { applications: ['facebook'] });
  for (let number = 1; number < FILTERS; number++) {
    // No event of the load has a level, so each of these is looked at and found not to match.
    const filter = { name: `filter ${number}`, applications: ['facebook'], levels: [`level-${number}`], endpointIds: [id] };
    await gateway.must(201, 'POST', '/api/v1/filters', filter);
  }
  await gateway.terminate();
  return {
    kind: 'value',
    path: '/facebook',
    get pid() {
      return gateway.pid;
    },
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
    get pid() {
      return child?.pid;
    },
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
