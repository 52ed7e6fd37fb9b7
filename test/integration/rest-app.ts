import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppModule } from '../../src/app.module';
import { HttpConfig } from '../../src/config/app.config';
import { loadConfig } from '../../src/config/load-config';
import { useSettings } from '../../src/config/provide-config';
import { HTTP_APP_OPTIONS, configureHttp, httpAdapter } from '../../src/http/http-app';
import { openApiDocument } from '../../src/http/openapi';
import { Storage } from '../../src/storage/storage';
import { eventually } from '../support/eventually';
import { ADMIN_KEY } from '../support/gateway';
import { acquireDatabase } from '../support/services/services';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the assertions of the tests are its type
  body: any;
}

export interface Call {
  /** Default: the admin's; null sends none. */
  key?: string | null;
  headers?: Record<string, string>;
}

export const ENGINES = ['sqlite', 'postgres'] as const;

/** The whole application in this process, on the embedded broker and a database of its own. */
export class RestApp {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly url: string,
    private readonly release: () => Promise<void>,
  ) {}

  static async start(engine: (typeof ENGINES)[number] = 'sqlite', env: NodeJS.ProcessEnv = {}): Promise<RestApp> {
    const dataDir = await mkdtemp(join(tmpdir(), 'hookline-rest-'));
    const database = engine === 'postgres' ? await acquireDatabase() : undefined;
    const settings = loadConfig({
      DATA_DIR: dataDir,
      LOG_LEVEL: 'silent',
      ADMIN_KEY,
      EGRESS_ALLOW: '127.0.0.0/8',
      ...(database && { DATABASE_URL: database.url }),
      ...env,
    });
    useSettings(settings);
    const app = await NestFactory.create<NestFastifyApplication>(AppModule, httpAdapter(settings.section(HttpConfig)), {
      ...HTTP_APP_OPTIONS,
      logger: false,
    });
    configureHttp(app);
    await app.listen(0, '127.0.0.1');
    return new RestApp(app, await app.getUrl(), async () => {
      await database?.release();
      await rm(dataDir, { recursive: true, force: true });
    });
  }

  get storage(): Storage {
    return this.app.get(Storage, { strict: false });
  }

  /** Every route that asks for a key, as `METHOD /path/{name}`. */
  guardedRoutes(): { method: string; path: string }[] {
    const { paths } = openApiDocument(this.app, 'test');
    return Object.entries(paths)
      .flatMap(([path, operations]) => Object.keys(operations).map((method) => ({ method: method.toUpperCase(), path })))
      .filter(({ path }) => path.startsWith('/api/v1/'));
  }

  /** A body that is a string goes as it is. */
  async call(method: string, path: string, body?: unknown, { key = ADMIN_KEY, headers = {} }: Call = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, text, body: isJson ? (JSON.parse(text) as unknown) : undefined };
  }

  /** As call, for an answer that must have the status; gives its body. */
  async must(status: number, method: string, path: string, body?: unknown, options: Call = {}): Promise<Answer['body']> {
    const answer = await this.call(method, path, body, options);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}, not ${status}`);
    return answer.body;
  }

  /** A new account with a key of its own. */
  async newAccount(id: string): Promise<string> {
    await this.must(201, 'POST', '/api/v1/accounts', { id });
    return (await this.must(201, 'POST', '/api/v1/keys', { accountId: id })).key as string;
  }

  /** An endpoint with a filter that lets everything of its account through. */
  async subscribe(url: string, endpoint: object = {}, options: Call = {}): Promise<{ id: string; secret: string }> {
    const { id, secret } = await this.must(201, 'POST', '/api/v1/endpoints', { url, ...endpoint }, options);
    await this.must(201, 'POST', '/api/v1/filters', { endpointIds: [id] }, options);
    return { id, secret };
  }

  /** The event once it has that status. */
  eventIs(id: string, status: string): Promise<Answer['body']> {
    return eventually(`event ${id} is ${status}`, async () => {
      const event = await this.must(200, 'GET', `/api/v1/events/${id}`);
      if (event.status !== status) throw new Error(JSON.stringify(event));
      return event;
    });
  }

  /** The ledger, which must add up. */
  async ledger(): Promise<Record<string, number>> {
    const { total } = await this.must(200, 'GET', '/api/v1/ledger');
    const { accepted, delivered, filtered, duplicate, dead, cancelled, pending } = total;
    expect(accepted).toBe(delivered + filtered + duplicate + dead + cancelled + pending);
    return total;
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.release();
  }
}

export const paths = (answer: Answer): string[] => (answer.body.problems as { path: string }[]).map((problem) => problem.path);
