import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { AffinityHandler } from '../../src/affinity/affinity-handler';
import { AffinityServer } from '../../src/affinity/affinity-server';
import { AffinityConfig } from '../../src/affinity/affinity.config';
import { SessionRows } from '../../src/affinity/session-rows';
import { AffinitySessions } from '../../src/affinity/sessions';
import { HttpConfig, ServerConfig } from '../../src/config/app.config';
import { loadConfig } from '../../src/config/load-config';
import { Draining } from '../../src/http/draining';
import { Metrics } from '../../src/metrics/metrics.service';
import type { Storage } from '../../src/storage/storage';
import { testBox } from '../support/secret-box';

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  body: Buffer;
}

/** A target that answers as it is told and remembers what it got. */
export class Target {
  readonly seen: Seen[] = [];
  answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void = (_request, response) => response.end('ok');
  /** Instead of reading the body and answering. */
  handle: RequestListener | undefined;

  private constructor(readonly server: Server) {
    server.on('request', (request, response) => {
      if (this.handle !== undefined) return this.handle(request, response);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers, rawHeaders } = request;
        const body = Buffer.concat(chunks);
        this.seen.push({ method, url, headers, rawHeaders, body });
        this.answer(request, response, body);
      });
    });
  }

  static async start(): Promise<Target> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Target(server);
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  get last(): Seen {
    return this.seen.at(-1) as Seen;
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

/** The proxy in this process, with the variables of `env`. */
export class Proxy {
  private constructor(
    readonly server: AffinityServer,
    readonly sessions: AffinitySessions,
    readonly metrics: Metrics,
    readonly draining: Draining,
  ) {}

  static async start(storage: Storage, targetUrl: string, env: Record<string, string> = {}): Promise<Proxy> {
    Logger.overrideLogger(false);
    const settings = loadConfig({ AFFINITY_ENABLED: 'true', AFFINITY_PORT: '0', TARGET_URL: targetUrl, ...env });
    const [config, http] = [settings.section(AffinityConfig), settings.section(HttpConfig)];
    const [metrics, draining] = [new Metrics(), new Draining()];
    const sessions = new AffinitySessions(new SessionRows(storage), testBox, config, metrics);
    const handler = new AffinityHandler(config, http, sessions, metrics);
    const server = new AffinityServer(config, http, settings.section(ServerConfig), handler, draining);
    await server.onApplicationBootstrap();
    return new Proxy(server, sessions, metrics, draining);
  }

  get port(): number {
    return this.server.port as number;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  async outcomes(): Promise<Record<string, number>> {
    const { values } = await this.metrics.affinityRequests.get();
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels.outcome), value]));
  }

  stop(): Promise<void> {
    return this.server.beforeApplicationShutdown();
  }
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

/** Sends bytes as they are; gives back all that comes until the other side ends the connection. */
export async function raw(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const socket = await openSocket(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  for (const part of parts) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** The bytes of a POST of JSON, which ends its connection. */
export const jsonPost = (body: string, headers: readonly string[] = [], path = '/'): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: proxy.example',
    'Content-Type: application/json',
    `Content-Length: ${String(Buffer.byteLength(body, 'latin1'))}`,
    'Connection: close',
    ...headers,
    '',
    body,
  ].join('\r\n');

export const event = (actorId: string): string =>
  JSON.stringify({ id: 'webhook', resource: 'messages', event: 'created', actorId, data: { id: 'm' } });
