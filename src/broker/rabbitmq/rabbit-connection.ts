import type { Duplex } from 'node:stream';
import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Logger } from '@nestjs/common';
import type { ChannelModel } from 'amqplib';
import { within } from './within';

export interface RabbitOptions {
  /** In order of preference. */
  servers: readonly string[];
  publishTimeoutMs: number;
  connectTimeoutMs: number;
  reconnectMs: number;
  heartbeatMs: number;
  watchIntervalMs: number;
  bootWaitMs: number;
}

const CLOSE_TIMEOUT_MS = 2_000;
const quiet = { log: (): void => undefined, warn: (): void => undefined, error: (): void => undefined, debug: (): void => undefined };

/**
 * One connection, kept up by the library: it goes round the servers until one answers. Channels are opened by us on each
 * connection, since the library's own buffer publishes, lose their consumers and are not rebuilt after a channel's error.
 */
export class RabbitConnection {
  /** While connected. */
  model: ChannelModel | undefined;
  /** Why the broker takes no publishes on this connection, while it does not. */
  blocked: string | undefined;
  lastProblem = 'not connected yet';
  private readonly logger = new Logger(RabbitConnection.name);
  private readonly amqp: AmqpConnection;
  private closed = false;

  constructor(
    private readonly name: string,
    private readonly options: RabbitOptions,
    private readonly events: { connected: (model: ChannelModel) => void; disconnected: () => void; failed: () => void },
  ) {
    this.amqp = new AmqpConnection({
      name,
      uri: [...options.servers],
      connectionInitOptions: { wait: false, skipConnectionFailedLogging: true, skipDisconnectFailedLogging: true },
      connectionManagerOptions: {
        heartbeatIntervalInSeconds: Math.max(1, Math.round(options.heartbeatMs / 1_000)),
        reconnectTimeInSeconds: options.reconnectMs / 1_000,
        connectionOptions: {
          noDelay: true,
          keepAlive: true,
          timeout: options.connectTimeoutMs,
          clientProperties: { connection_name: `hookline ${name}` },
        },
      },
      registerHandlers: false,
      enableDirectReplyTo: false,
      logger: quiet,
    });
  }

  /** Starts connecting; does not wait for it. */
  async open(): Promise<void> {
    await this.amqp.init();
    const manager = this.amqp.managedConnection;
    manager.on('connect', ({ connection }) => this.onConnect(connection as unknown as ChannelModel));
    manager.on('disconnect', ({ err }) => this.onDisconnect(err));
    manager.on('connectFailed', ({ err }) => this.onFailed(err));
    manager.on('blocked', ({ reason }) => this.onBlocked(reason));
    manager.on('unblocked', () => this.onUnblocked());
    if (manager.connection !== undefined) this.onConnect(manager.connection);
  }

  /**
   * Cuts a connection that no longer answers; the library then connects anew. Its own `reconnect` would wait for the
   * broker's goodbye, and leave the connection without a listener for errors, which ends the process.
   */
  drop(reason: string): void {
    if (this.model === undefined) return;
    this.logger.warn(`Cutting the ${this.name} connection to RabbitMQ: ${reason}`);
    streamOf(this.model).destroy(new Error(reason));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const { model } = this;
    this.model = undefined;
    try {
      await within(CLOSE_TIMEOUT_MS, 'closing the connection', this.amqp.managedConnection.close());
    } catch {
      if (model !== undefined) streamOf(model).destroy();
    }
  }

  private onConnect(model: ChannelModel): void {
    if (this.closed) return;
    this.model = model;
    this.blocked = undefined;
    this.logger.log(`Connected to RabbitMQ (${this.name})`);
    this.events.connected(model);
  }

  private onDisconnect(error: Error | undefined): void {
    this.model = undefined;
    this.blocked = undefined;
    this.lastProblem = error?.message ?? 'the connection was closed';
    if (!this.closed) this.logger.warn(`Lost the ${this.name} connection to RabbitMQ: ${this.lastProblem}`);
    this.events.disconnected();
  }

  private onFailed(error: Error): void {
    // Once, not at every second of an outage.
    if (this.lastProblem !== error.message) this.logger.warn(`RabbitMQ cannot be reached (${this.name}): ${error.message}`);
    this.lastProblem = error.message;
    this.events.failed();
  }

  private onBlocked(reason: string): void {
    this.blocked = reason;
    this.logger.error(`RabbitMQ takes no messages: ${reason}`);
  }

  private onUnblocked(): void {
    this.blocked = undefined;
    this.logger.log('RabbitMQ takes messages again');
  }
}

const streamOf = (model: ChannelModel): Duplex => (model.connection as unknown as { stream: Duplex }).stream;
