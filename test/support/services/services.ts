import { createDatabase, type Database, PostgresServer } from './postgres';
import { createVirtualHost, managementUrlOf, RabbitMqNode, type VirtualHost } from './rabbitmq';

/**
 * RabbitMQ and PostgreSQL for the tests: those whose URLs are given, else nodes of our own (see install.ts). Started once
 * per run by global-setup.ts; its URLs reach the workers by the environment.
 */
export const RABBITMQ_VARIABLE = 'TEST_RABBITMQ_URL';
export const MANAGEMENT_VARIABLE = 'TEST_RABBITMQ_MANAGEMENT_URL';
export const DATABASE_VARIABLE = 'TEST_DATABASE_URL';

export interface RunningServices {
  /** The variables that point at them. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

/** Starts what no URL is given for. */
export async function startServices(): Promise<RunningServices> {
  const environment: Record<string, string> = {};
  const started: { remove(): Promise<void> }[] = [];
  const rabbitMq = async (): Promise<void> => {
    const given = process.env[RABBITMQ_VARIABLE];
    const node = given ? undefined : await RabbitMqNode.create();
    if (node) started.push(node);
    environment[RABBITMQ_VARIABLE] = node?.url ?? given ?? '';
    environment[MANAGEMENT_VARIABLE] = node?.managementUrl ?? process.env[MANAGEMENT_VARIABLE] ?? managementUrlOf(given ?? '');
  };
  const postgres = async (): Promise<void> => {
    const given = process.env[DATABASE_VARIABLE];
    const server = given ? undefined : await PostgresServer.create();
    if (server) started.push(server);
    environment[DATABASE_VARIABLE] = server?.url ?? given ?? '';
  };
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((service) => service.remove()));
  };
  const results = await Promise.allSettled([rabbitMq(), postgres()]);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (failures.length === 0) return { environment, stop };
  await stop();
  throw new AggregateError(failures, failures.map((failure) => failure.message).join('\n'));
}

/** A virtual host of the caller's own; release it in `afterAll`. */
export const acquireVhost = (): Promise<VirtualHost> => createVirtualHost(given(RABBITMQ_VARIABLE), given(MANAGEMENT_VARIABLE));

/** An empty database of the caller's own; release it in `afterAll`. */
export const acquireDatabase = (): Promise<Database> => createDatabase(given(DATABASE_VARIABLE));

/** A node to kill and restart, for tests of outages; `remove()` it in `afterAll`. */
export const startPrivateRabbitMq = (): Promise<RabbitMqNode> => RabbitMqNode.create();

/** A server to kill and restart, for tests of outages; `remove()` it in `afterAll`. */
export const startPrivatePostgres = (): Promise<PostgresServer> => PostgresServer.create();

function given(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set: the services are started by test/support/global-setup.ts.`);
  return value;
}
