import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  /** The webhook-id. */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** By the standardwebhooks package, with one of the receiver's secrets. */
  verified: boolean;
  /** What it was answered; undefined when it was not. */
  status: number | undefined;
}

export interface DeliveredBody {
  id: string;
  type: string;
  timestamp: string;
  accountId: string;
  application: string;
  eventType: string;
  level: string | null;
  context: unknown;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what the sender sent
  data: any;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  delayMs?: number;
}

/** An endpoint's other side: records what comes and answers as told. */
export class Receiver {
  readonly received: Received[] = [];
  /** Checked against each request; more than one while a secret is rotated. */
  secrets: string[] = [];
  /** Decides each answer; `undefined` never answers. `count` is how often this webhook-id came, from 1. */
  answer: (request: Received, count: number) => Answer | undefined = () => ({ status: 204 });
  private readonly counts = new Map<string, number>();

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.take(request, response));
  }

  static async start(): Promise<Receiver> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const receiver = new Receiver(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hooks`;
  }

  /** The bodies as JSON, in the order they came. */
  get bodies(): DeliveredBody[] {
    return this.received.map((request) => JSON.parse(request.body.toString()) as DeliveredBody);
  }

  /** Forgets what came. */
  clear(): void {
    this.received.length = 0;
    this.counts.clear();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return; // cut off: nothing was received
    }
    const body = Buffer.concat(chunks);
    const id = String(incoming.headers['webhook-id'] ?? '');
    const { headers, url: path = '' } = incoming;
    const request: Received = { id, at: Date.now(), path, headers, body, verified: this.verifies(body, headers), status: undefined };
    this.received.push(request);
    const count = (this.counts.get(id) ?? 0) + 1;
    this.counts.set(id, count);
    const answer = this.answer(request, count);
    if (answer === undefined) return;
    request.status = answer.status;
    const send = (): void => void response.writeHead(answer.status, answer.headers).end(answer.body);
    if (answer.delayMs === undefined) send();
    else setTimeout(send, answer.delayMs);
  }

  private verifies(body: Buffer, headers: IncomingHttpHeaders): boolean {
    return this.secrets.some((secret) => {
      try {
        new Webhook(secret).verify(body, headers as Record<string, string>, { jsonParse: false });
        return true;
      } catch {
        return false;
      }
    });
  }
}
