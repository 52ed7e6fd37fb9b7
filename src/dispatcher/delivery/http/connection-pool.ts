import { Client, type buildConnector } from 'undici';

/** One connection at most, open or not. It knows its peer, which undici's own pool does not tell. */
export class Connection {
  readonly client: Client;
  /** The peer's address; null before the first connect. */
  address: string | null = null;
  idleSince = 0;

  constructor(
    readonly origin: string,
    connect: buildConnector.connector,
  ) {
    this.client = new Client(origin, {
      connect: (options, callback) =>
        connect(options, (...result) => {
          this.address = result[1]?.remoteAddress ?? null;
          callback(...result);
        }),
      // Each attempt has one timer of its own.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveMaxTimeout: IDLE_MS,
      maxHeaderSize: 16_384,
      pipelining: 1,
    });
  }

  destroy(): void {
    void this.client.destroy().catch(() => undefined);
  }
}

/** How long an idle connection is kept at most; a peer that announces no time is trusted with undici's 4 s. */
const IDLE_MS = 30_000;
const MAX_IDLE = 1_024;

/** Idle connections by origin. How many are in use is bounded by the slots of deliveries. */
export class ConnectionPool {
  private readonly idle = new Map<string, Connection[]>();
  private idleCount = 0;
  private readonly reaper: NodeJS.Timeout;

  constructor(private readonly connect: buildConnector.connector) {
    this.reaper = setInterval(() => this.reap(Date.now() - IDLE_MS), IDLE_MS / 2).unref();
  }

  /** The connection is the caller's alone until it gives it back or discards it. */
  take(origin: string): Connection {
    const list = this.idle.get(origin);
    const connection = list?.pop();
    if (connection === undefined) return new Connection(origin, this.connect);
    if (list?.length === 0) this.idle.delete(origin);
    this.idleCount -= 1;
    return connection;
  }

  /** For a connection whose last answer was read to its end. */
  giveBack(connection: Connection): void {
    connection.idleSince = Date.now();
    const list = this.idle.get(connection.origin);
    if (list) list.push(connection);
    else this.idle.set(connection.origin, [connection]);
    this.idleCount += 1;
    if (this.idleCount > MAX_IDLE) this.dropOldestOrigin();
  }

  close(): void {
    clearInterval(this.reaper);
    this.reap(Infinity);
  }

  /** Maps keep the order of insertion: the first origin is the one that has been idle, in part, for longest. */
  private dropOldestOrigin(): void {
    const [oldest] = this.idle.keys();
    if (oldest === undefined) return;
    for (const connection of this.idle.get(oldest) ?? []) this.drop(connection);
    this.idle.delete(oldest);
  }

  private reap(before: number): void {
    for (const [origin, list] of this.idle) {
      const kept = list.filter((connection) => connection.idleSince >= before);
      for (const connection of list) if (connection.idleSince < before) this.drop(connection);
      if (kept.length === 0) this.idle.delete(origin);
      else this.idle.set(origin, kept);
    }
  }

  private drop(connection: Connection): void {
    this.idleCount -= 1;
    connection.destroy();
  }
}
