import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';

/** Stands between two programs and spoils their connection on demand. */
export class TcpProxy {
  /** Added to each chunk, in both directions. */
  latencyMs = 0;
  /** When set, each direction passes so many bytes in a second. */
  bytesPerSecond: number | undefined;
  private isCut = false;
  private isStalled = false;
  private readonly pairs = new Set<readonly [Socket, Socket]>();

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.join(client));
  }

  static async start(target: { host?: string; port: number }): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, { host: target.host ?? '127.0.0.1', port: target.port });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The same URL with the proxy in the target's place. */
  static async inFrontOf(url: string): Promise<{ proxy: TcpProxy; url: string }> {
    const changed = new URL(url);
    const proxy = await TcpProxy.start({ host: changed.hostname, port: Number(changed.port) });
    changed.host = `127.0.0.1:${proxy.port}`;
    return { proxy, url: changed.href };
  }

  /** Ends every connection and refuses new ones. */
  cut(): void {
    this.isCut = true;
    this.endAll();
  }

  /** Keeps connections, and takes new ones, but passes nothing on: what a lost network looks like. */
  stall(): void {
    this.isStalled = true;
    for (const socket of [...this.pairs].flat()) socket.pause();
  }

  /** Ends what `cut` and `stall` did. */
  restore(): void {
    this.isCut = false;
    this.isStalled = false;
    for (const socket of [...this.pairs].flat()) socket.resume();
  }

  async stop(): Promise<void> {
    this.endAll();
    this.server.close();
    await once(this.server, 'close');
  }

  private endAll(): void {
    for (const socket of [...this.pairs].flat()) endHard(socket);
  }

  private join(client: Socket): void {
    if (this.isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...this.target, noDelay: true });
    client.setNoDelay(true);
    const pair = [client, upstream] as const;
    this.pairs.add(pair);
    const end = (): void => {
      this.pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const [from, to] of [pair, [upstream, client] as const]) {
      const line: Line = { from, to, waiting: 0, tail: Promise.resolve() };
      from.on('data', (chunk) => this.pass(chunk, line));
      from.on('error', end).on('close', end);
      if (this.isStalled) from.pause();
    }
  }

  /** What waits is passed on in its order, also when the connection is mended or resumed meanwhile. */
  private pass(chunk: Buffer, line: Line): void {
    const { from, to } = line;
    const waitMs = this.latencyMs + (this.bytesPerSecond === undefined ? 0 : (chunk.length / this.bytesPerSecond) * 1_000);
    if (waitMs === 0 && line.waiting === 0) {
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => this.isStalled || from.resume());
      }
      return;
    }
    from.pause();
    line.waiting += 1;
    line.tail = line.tail.then(async () => {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      to.write(chunk);
      line.waiting -= 1;
      if (line.waiting === 0 && !this.isStalled) from.resume();
    });
  }
}

/** A reset waits for what is not written yet; to a peer that does not read it would never come, and the process never ends. */
function endHard(socket: Socket): void {
  if (socket.writableLength > 0 || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** One direction of a connection. */
interface Line {
  from: Socket;
  to: Socket;
  /** Chunks that are on their way. */
  waiting: number;
  tail: Promise<void>;
}
