import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { request } from 'undici';
import { ensureBuilt, ROOT } from './build';
import { eventually } from './eventually';
import { type Exit, freePorts, Workspace } from './services/processes';

export const ADMIN_KEY = 'an-admin-key-for-tests-of-32-characters';
export const APP_SECRET = 'the-app-secret-of-the-tests';
export const VERIFY_TOKEN = 'the-verify-token-of-the-tests';

export interface GatewayOptions {
  /** Absent: the embedded broker. */
  rabbitMqUrl?: string;
  /** Absent: SQLite. */
  databaseUrl?: string;
  /** Further variables; they win. */
  env?: Record<string, string>;
  /** The file to run; default: dist/main.js. */
  main?: string;
  /** The script of package.json to start it by, as built; then npm is the process that signals go to. */
  script?: 'start' | 'affinity';
}

export interface ApiAnswer {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the assertions of the tests are its type
  body: any;
  headers: Record<string, string | string[] | undefined>;
}

/** The built program as a child process on a port and a data folder of its own, which it keeps over restarts. */
export class Gateway {
  private constructor(
    private readonly workspace: Workspace,
    private readonly options: GatewayOptions,
    readonly port: number,
  ) {}

  /** Started, but maybe not ready yet. */
  static async launch(options: GatewayOptions = {}): Promise<Gateway> {
    await ensureBuilt();
    const [workspace, [port = 0]] = await Promise.all([Workspace.create('gateway'), freePorts(1)]);
    const gateway = new Gateway(workspace, options, port);
    gateway.start();
    return gateway;
  }

  /** Started and ready. */
  static async ready(options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = await Gateway.launch(options);
    await gateway.becomesReady();
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get dataFolder(): string {
    return join(this.workspace.folder, 'data');
  }

  /** Everything it wrote so far, over all its starts. */
  get log(): string {
    return this.workspace.log;
  }

  get pid(): number | undefined {
    return this.workspace.pid;
  }

  get isRunning(): boolean {
    return this.workspace.isRunning;
  }

  /** Starts it again on the same data and port; `env` and `nodeOptions` count for this start only. */
  start(env: Record<string, string> = {}, nodeOptions: readonly string[] = []): void {
    const { rabbitMqUrl, databaseUrl, main = join(ROOT, 'dist', 'main.js'), script } = this.options;
    const variables: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      PORT: String(this.port),
      DATA_DIR: this.dataFolder,
      ADMIN_KEY,
      LOG_LEVEL: 'info',
      HOOK_SERVER_FACEBOOK_APP_SECRET: APP_SECRET,
      HOOK_SERVER_FACEBOOK_VERIFY_TOKEN: VERIFY_TOKEN,
      ...(rabbitMqUrl === undefined ? {} : { RABBITMQ_URL: rabbitMqUrl }),
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...this.options.env,
      ...env,
    };
    const [program, args] = script === undefined ? [process.execPath, [...nodeOptions, main]] : ['npm', runOf(script)];
    this.workspace.start(program, args, { env: variables });
  }

  async becomesReady(deadlineMs = 30_000): Promise<void> {
    await this.answers('/health/ready', 200, deadlineMs);
  }

  /** Waits until a GET of the path is answered with the status; fails at once when the process has ended. */
  async answers(path: string, status: number, deadlineMs = 30_000): Promise<void> {
    const ask = async (): Promise<boolean> => !this.isRunning || (await this.get(path)).status === status;
    const what = `${path} answers ${status}`;
    await eventually(what, ask, { deadlineMs }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log.slice(-5_000)}`, { cause: error });
    });
    if (!this.isRunning) throw new Error(`The gateway has ended:\n${this.log.slice(-5_000)}`);
  }

  kill(): Promise<void> {
    return this.workspace.end('SIGKILL', true);
  }

  /** SIGTERM; resolves with how it ended. */
  async terminate(): Promise<Exit | undefined> {
    const { exited } = this.workspace;
    await this.workspace.end('SIGTERM', false);
    return exited;
  }

  /** Waits until it ends by itself. */
  async ends(deadlineMs = 30_000): Promise<Exit> {
    await eventually('the gateway ends', () => !this.isRunning, { deadlineMs });
    const exit = await this.workspace.exited;
    if (exit === undefined) throw new Error('It was never started.');
    return exit;
  }

  /** Ends it and removes its data. */
  remove(): Promise<void> {
    return this.workspace.remove();
  }

  get(path: string): Promise<ApiAnswer> {
    return this.call('GET', path);
  }

  /** A call with the admin's key and a JSON body. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await request(this.url + path, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, ...json, ...headers },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      headersTimeout: 20_000,
      bodyTimeout: 20_000,
    });
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, body: parse(text) };
  }

  /** As call, but anything other than the expected status is a failure that shows the answer. */
  async must(status: number, method: string, path: string, body?: unknown): Promise<ApiAnswer['body']> {
    const answer = await this.call(method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}, not ${status}`);
    return answer.body;
  }

  /** An endpoint that gets everything that its filter (default: everything) lets through. */
  async subscribe(url: string, endpoint: object = {}, filter: object = {}): Promise<Subscription> {
    const created = await this.must(201, 'POST', '/api/v1/endpoints', { name: 'receiver', type: 'webhook', url, ...endpoint });
    const { accountId, id, secret } = created;
    const made = await this.must(201, 'POST', '/api/v1/filters', { name: 'filter', accountId, endpointIds: [id], ...filter });
    return { id, secret, filterId: made.id };
  }

  /** A new account that a page belongs to: what the page's events do concerns no other test. */
  async newAccount(): Promise<{ accountId: string; pageId: string }> {
    const unique = randomUUID();
    const accountId = `account-${unique}`;
    const pageId = `page-${unique}`;
    await this.must(201, 'POST', '/api/v1/accounts', { id: accountId });
    await this.must(201, 'POST', `/api/v1/accounts/${accountId}/identities`, { channel: 'facebook', externalId: pageId });
    return { accountId, pageId };
  }

  /** Waits until nothing waits in the broker and everything dispatched is settled; gives the ledger's total. */
  drained(deadlineMs = 60_000): Promise<LedgerTotal> {
    return this.ledgerIs(deadlineMs, (door) => {
      if (door.confirmed > door.dispatched) throw new Error(`${door.confirmed - door.dispatched} requests are not dispatched`);
    });
  }

  /** As drained, but says nothing of the broker: for messages that did not come by a door, or after a kill. */
  settled(deadlineMs = 60_000): Promise<LedgerTotal> {
    return this.ledgerIs(deadlineMs, () => undefined);
  }

  private ledgerIs(deadlineMs: number, check: (door: { confirmed: number; dispatched: number }) => void): Promise<LedgerTotal> {
    const ask = async (): Promise<LedgerTotal> => {
      const { total, door } = await this.must(200, 'GET', '/api/v1/ledger');
      if (total.pending > 0) throw new Error(`${total.pending} events are pending`);
      check(door);
      return total as LedgerTotal;
    };
    return eventually('everything is settled', ask, { deadlineMs, everyMs: 100 });
  }

  /** The value of a metric with exactly these labels; 0 while it is not there. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const { body } = await this.get('/metrics');
    for (const line of String(body).split('\n')) {
      const [, found, inside = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (found !== name) continue;
      const given = Object.fromEntries([...inside.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
      const wanted = Object.entries(labels);
      if (wanted.length === Object.keys(given).length && wanted.every(([key, text]) => given[key] === text)) return Number(value);
    }
    return 0;
  }
}

export interface Subscription {
  /** The endpoint's. */
  id: string;
  secret: string;
  filterId: string;
}

export interface LedgerTotal {
  accepted: number;
  delivered: number;
  filtered: number;
  duplicate: number;
  dead: number;
  cancelled: number;
  pending: number;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Without what comes before the script: the build. */
const runOf = (script: string): string[] => ['--prefix', ROOT, 'run', script, '--ignore-scripts', '--no-update-notifier'];
