import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const AFFINITY_COOKIE = 'heroku-session-affinity';

/**
 * Two instances of a bot behind a load balancer like Heroku's: a request without a cookie of its own goes to the instances in turns and
 * is given one; with one it goes where that says.
 */
export class StickyBots {
  /** Which instances each actor has met, one entry a request. */
  readonly met = new Map<string, number[]>();
  /** Answers wait here while it is set. */
  private held: (() => Promise<void>) | undefined;
  private readonly instances = new Map<string, number>();
  private turn = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async start(): Promise<StickyBots> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new StickyBots(server);
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Holds the answers to the next `count` requests until all of them are there. */
  holdNext(count: number): void {
    const releases: (() => void)[] = [];
    this.held = () =>
      new Promise((resolve) => {
        releases.push(resolve);
        if (releases.length < count) return;
        this.held = undefined;
        for (const release of releases) release();
      });
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  /** GETs are asked by whoever waits for the proxy. */
  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== 'POST') return void response.end('{}');
    const known = this.instances.get(cookieOf(request) ?? '');
    const instance = known ?? this.turn++ % 2;
    const { actorId } = JSON.parse(Buffer.concat(chunks).toString()) as { actorId: string };
    this.met.set(actorId, [...(this.met.get(actorId) ?? []), instance]);
    await this.held?.();
    if (known === undefined) response.setHeader('set-cookie', this.newCookie(instance));
    response.end(String(instance));
  }

  private newCookie(instance: number): string {
    const value = randomUUID();
    this.instances.set(value, instance);
    return `${AFFINITY_COOKIE}=${value}; Version=1; Expires=${new Date(Date.now() + 86_400_000).toUTCString()}; Max-Age=86400; Path=/; HttpOnly`;
  }
}

const cookieOf = ({ headers }: IncomingMessage): string | undefined =>
  headers.cookie
    ?.split('; ')
    .find((pair) => pair.startsWith(`${AFFINITY_COOKIE}=`))
    ?.slice(AFFINITY_COOKIE.length + 1);
