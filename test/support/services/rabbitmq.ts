import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { connect } from 'amqplib';
import { ensureProgram, type Wanted } from './install';
import { execute, freePorts, readLog, retrying, Workspace } from './processes';

const RABBITMQ: Wanted = {
  name: 'RabbitMQ',
  program: 'rabbitmq-server',
  // Debian's wrapper in PATH runs as the system's user on the system's data; the real script stands here.
  folders: () => ['/usr/lib/rabbitmq/bin', '/opt/homebrew/sbin', '/usr/local/sbin'],
  debianPackage: 'rabbitmq-server',
  variable: 'TEST_RABBITMQ_URL',
  example: 'amqp://hookline:hookline@127.0.0.1:5672',
  composeService: 'rabbitmq',
};

/**
 * A RabbitMQ node of our own: own name, cookie, epmd, ports on 127.0.0.1 and data in a temporary folder. The management
 * plugin serves to make virtual hosts in milliseconds, where rabbitmqctl takes seconds.
 */
export class RabbitMqNode {
  readonly url: string;
  readonly managementUrl: string;

  private constructor(
    private readonly workspace: Workspace,
    private readonly server: string,
    private readonly ports: { amqp: number; management: number; distribution: number; epmd: number },
  ) {
    this.url = `amqp://hookline:hookline@127.0.0.1:${ports.amqp}`;
    this.managementUrl = `http://hookline:hookline@127.0.0.1:${ports.management}`;
  }

  static async create(): Promise<RabbitMqNode> {
    const server = await ensureProgram(RABBITMQ);
    const workspace = await Workspace.create('rabbitmq');
    const [amqp = 0, management = 0, distribution = 0, epmd = 0] = await freePorts(4);
    const node = new RabbitMqNode(workspace, server, { amqp, management, distribution, epmd });
    await node.writeFiles();
    await node.start();
    return node;
  }

  /** Starts it again, on the same data and ports. */
  async start(): Promise<void> {
    // erl would start an epmd that outlives it; ours is in the node's process group and ends with it.
    const script = 'epmd -port "$ERL_EPMD_PORT" & until epmd -port "$ERL_EPMD_PORT" -names >/dev/null 2>&1; do sleep 0.05; done; exec "$1"';
    this.workspace.start('sh', ['-c', script, 'node', this.server], { env: this.environment() });
    const up = async (): Promise<void> => {
      if (!this.workspace.isRunning) throw new Error('The node has ended.');
      const connection = await connect(this.url, { timeout: 5_000 });
      await connection.close();
      await manage(this.managementUrl, 'GET', '/api/whoami');
    };
    await retrying('RabbitMQ', 120_000, up, () => this.workspace.log.slice(-3_000) + this.nodeLog());
  }

  /** Ends it properly; its connections are closed. */
  stop(): Promise<void> {
    return this.workspace.end('SIGTERM', false);
  }

  /** As a power cut would, but for the page cache. */
  kill(): Promise<void> {
    return this.workspace.end('SIGKILL', true);
  }

  /** Runs rabbitmqctl on this node; takes seconds. */
  async control(...args: string[]): Promise<void> {
    const nodeName = this.environment()['RABBITMQ_NODENAME'] ?? '';
    await execute(join(dirname(this.server), 'rabbitmqctl'), ['-n', nodeName, ...args], {
      env: this.environment(),
      cwd: this.workspace.folder,
    });
  }

  /** Ends it and removes its data. */
  remove(): Promise<void> {
    return this.workspace.remove();
  }

  private inside(name: string): string {
    return join(this.workspace.folder, name);
  }

  private async writeFiles(): Promise<void> {
    const settings = [
      `listeners.tcp.1 = 127.0.0.1:${this.ports.amqp}`,
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${this.ports.management}`,
      'management.disable_stats = true',
      'default_user = hookline',
      'default_pass = hookline',
      'vm_memory_high_watermark.absolute = 1GiB',
      'disk_free_limit.absolute = 50MB',
      'raft.wal_max_size_bytes = 67108864',
      'log.file.level = warning',
    ];
    await writeFile(this.inside('rabbitmq.conf'), `${settings.join('\n')}\n`);
    await writeFile(this.inside('plugins'), '[rabbitmq_management].\n');
    await writeFile(this.inside('rabbitmq-env.conf'), '');
    await mkdir(this.inside('log'));
  }

  private environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(RABBITMQ|ERL)_/.test(name));
    return {
      ...Object.fromEntries(inherited),
      HOME: this.workspace.folder,
      ERL_EPMD_PORT: String(this.ports.epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `hookline-${this.ports.amqp}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(this.ports.amqp),
      RABBITMQ_DIST_PORT: String(this.ports.distribution),
      RABBITMQ_MNESIA_BASE: this.inside('data'),
      RABBITMQ_LOG_BASE: this.inside('log'),
      RABBITMQ_CONFIG_FILE: this.inside('rabbitmq.conf'),
      RABBITMQ_CONF_ENV_FILE: this.inside('rabbitmq-env.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: this.inside('plugins'),
      // Two schedulers that do not spin while they wait: the tests need the processors too.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    };
  }

  private nodeLog(): string {
    const folder = this.inside('log');
    return readdirSync(folder)
      .map((name) => `\n${name}:\n${readLog(join(folder, name)).slice(-3_000)}`)
      .join('');
  }
}

export interface VirtualHost {
  url: string;
  name: string;
  release(): Promise<void>;
}

/** A virtual host of its own on a running broker. */
export async function createVirtualHost(brokerUrl: string, managementUrl: string): Promise<VirtualHost> {
  const name = `hookline-test-${randomUUID()}`;
  const user = decodeURIComponent(new URL(brokerUrl).username || 'guest');
  await manage(managementUrl, 'PUT', `/api/vhosts/${name}`);
  const everything = { configure: '.*', write: '.*', read: '.*' };
  await manage(managementUrl, 'PUT', `/api/permissions/${name}/${encodeURIComponent(user)}`, everything);
  const url = new URL(brokerUrl);
  url.pathname = `/${name}`;
  return { url: url.href, name, release: () => manage(managementUrl, 'DELETE', `/api/vhosts/${name}`) };
}

/** Where the management plugin of a given broker is, unless it is said. */
export function managementUrlOf(brokerUrl: string): string {
  const { hostname, username, password } = new URL(brokerUrl);
  return `http://${username || 'guest'}:${password || 'guest'}@${hostname}:15672`;
}

/** Calls the broker's management interface. */
export async function manage(managementUrl: string, method: string, path: string, body?: object): Promise<void> {
  const { username, password, origin } = new URL(managementUrl);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}`, 'content-type': 'application/json' };
  const response = await fetch(origin + path, { method, headers, body: body ? JSON.stringify(body) : null }).catch((error: unknown) => {
    throw new Error(`RabbitMQ's management interface at ${origin} does not answer; TEST_RABBITMQ_MANAGEMENT_URL names another place.`, {
      cause: error,
    });
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
}
