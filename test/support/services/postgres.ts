import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { ensureProgram, type Wanted } from './install';
import { type Account, execute, freePorts, retrying, Workspace } from './processes';

const POSTGRES: Wanted = {
  name: 'PostgreSQL',
  program: 'initdb', // unlike `psql` it comes with the server only
  folders: () => [...versionsUnder('/usr/lib/postgresql', 'bin'), '/opt/homebrew/bin', '/usr/local/bin'],
  debianPackage: 'postgresql',
  variable: 'TEST_DATABASE_URL',
  example: 'postgres://hookline:hookline@127.0.0.1:5432/hookline',
  composeService: 'postgres',
};

/** A PostgreSQL of our own: 127.0.0.1 only, in a temporary folder, durable as in production. */
export class PostgresServer {
  readonly url: string;

  private constructor(
    private readonly workspace: Workspace,
    private readonly binaries: string,
    private readonly port: number,
    private readonly account: Account | undefined,
  ) {
    this.url = `postgres://hookline@127.0.0.1:${port}/postgres`;
  }

  static async create(): Promise<PostgresServer> {
    const binaries = dirname(await ensureProgram(POSTGRES));
    const workspace = await Workspace.create('postgres');
    const [port = 0] = await freePorts(1);
    const account = process.getuid?.() === 0 ? await unprivilegedAccount() : undefined;
    if (account) await chown(workspace.folder, account.uid, account.gid);
    const server = new PostgresServer(workspace, binaries, port, account);
    const arguments_ = ['-D', server.dataFolder, '-U', 'hookline', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await execute(join(binaries, 'initdb'), arguments_, { cwd: workspace.folder, ...account });
    await server.start();
    return server;
  }

  private get dataFolder(): string {
    return join(this.workspace.folder, 'data');
  }

  /** Starts it again, on the same data and port. */
  async start(): Promise<void> {
    const settings = [
      `port=${this.port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=300',
      'shared_buffers=128MB',
      'max_wal_size=512MB',
    ];
    const up = async (): Promise<void> => {
      // After a kill the last children may hold the shared memory for a moment, and a first start gives up.
      if (!this.workspace.isRunning) {
        const options = this.account ? { account: this.account } : {};
        this.workspace.start(join(this.binaries, 'postgres'), ['-D', this.dataFolder, ...settings.flatMap((s) => ['-c', s])], options);
      }
      await onServer(this.url, async (client) => client.query('select 1'));
    };
    await retrying('PostgreSQL', 60_000, up, () => this.workspace.log.slice(-3_000));
  }

  /** Ends it properly; its connections are cut. */
  stop(): Promise<void> {
    return this.workspace.end('SIGINT', false);
  }

  /** As a power cut would, but for the page cache. */
  kill(): Promise<void> {
    return this.workspace.end('SIGKILL', true);
  }

  /** Ends it and removes its data. */
  remove(): Promise<void> {
    return this.workspace.remove();
  }
}

export interface Database {
  url: string;
  name: string;
  release(): Promise<void>;
}

export async function createDatabase(serverUrl: string): Promise<Database> {
  const name = `hookline_test_${randomUUID().replaceAll('-', '')}`;
  await onServer(serverUrl, (client) => client.query(`create database ${name} template template0`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const release = async (): Promise<void> => {
    await onServer(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
  };
  return { url: url.href, name, release };
}

async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedAccount(): Promise<Account> {
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await execute('id', [flag, name])).stdout)));
      if (uid && gid) return { uid, gid };
    } catch {
      continue;
    }
  }
  throw new Error('PostgreSQL must not run as root, and this machine has neither the user postgres nor nobody to run it as.');
}

/** The newest first. */
function versionsUnder(folder: string, inside: string): string[] {
  try {
    return readdirSync(folder)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(folder, version, inside));
  } catch {
    return [];
  }
}
