import { Logger } from '@nestjs/common';
import type { ChannelModel } from 'amqplib';
import { GatewayError } from '../../core/errors';
import {
  Broker,
  type BrokerStatus,
  type Consumption,
  type ConsumeOptions,
  type IncomingMessage,
  type OutgoingMessage,
  type QueueDepth,
} from '../broker';
import { BrokerTopologyError } from '../broker-topology-error';
import { DEFAULT_TUNING, type Tuning } from '../group-consumer';
import type { Topology } from '../topology';
import { ControlChannel } from './control-channel';
import { declareTopology } from './declare-topology';
import { findUntoldDead } from './untold-dead';
import { Publisher } from './publisher';
import { RabbitConnection, type RabbitOptions } from './rabbit-connection';
import { NoAnswerError } from './within';
import { type ConsumptionHost, RabbitConsumption } from './rabbit-consumption';

/** RabbitMQ takes back what is not acknowledged for 30 minutes, and cuts the consumer off. */
const HOLD_LIMIT_MS = 15 * 60_000;
const RETRY_MS = 1_000;
const REPAIR_DELAY_MS = 500;

/** RabbitMQ behind the port. Publishing and consuming have connections of their own: a blocked publisher must not stop consumers. */
export class RabbitMqBroker extends Broker implements ConsumptionHost {
  private readonly logger = new Logger(RabbitMqBroker.name);
  private readonly publishing: RabbitConnection;
  private readonly consuming: RabbitConnection;
  private readonly publisher: Publisher;
  private readonly control = new ControlChannel();
  private readonly consumptions = new Set<RabbitConsumption>();
  private readonly tuning: Tuning;
  /** Why the queues are not as wanted, while they are not. */
  private topologyProblem: string | undefined = 'the queues have not been declared yet';
  private repairing: Promise<void> | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private repairTimer: NodeJS.Timeout | undefined;
  private watchTimer: NodeJS.Timeout | undefined;
  private bootEnded: (error?: BrokerTopologyError) => void = () => undefined;
  private closed = false;

  private constructor(
    private readonly options: RabbitOptions,
    private readonly topology: Topology,
    tuning: Partial<Tuning>,
  ) {
    super();
    this.tuning = { ...DEFAULT_TUNING, holdLimitMs: HOLD_LIMIT_MS, ...tuning };
    let failures = 0;
    this.publishing = new RabbitConnection('publishing', options, {
      connected: (model) => void this.prepare(model),
      disconnected: () => this.publisher.disconnected(),
      failed: () => {
        failures += 1;
        if (failures >= options.servers.length) this.bootEnded();
      },
    });
    this.consuming = new RabbitConnection('consuming', options, {
      connected: () => this.consumptions.forEach((consumption) => consumption.connected()),
      disconnected: () => this.consumptions.forEach((consumption) => consumption.disconnected()),
      failed: () => undefined,
    });
    this.publisher = new Publisher(
      { blocked: () => this.publishing.blocked, drop: (reason) => this.publishing.drop(reason) },
      options.publishTimeoutMs,
      { channelClosed: () => this.prepareLater(), unroutable: () => this.repairSoon() },
    );
  }

  /**
   * Begins to connect, and waits for the first connection `bootWaitMs` at most: with RabbitMQ away the program starts all the same.
   * @throws BrokerTopologyError when RabbitMQ was reached and holds our queues with other arguments.
   */
  static async start(options: RabbitOptions, topology: Topology, tuning: Partial<Tuning> = {}): Promise<RabbitMqBroker> {
    const broker = new RabbitMqBroker(options, topology, tuning);
    const booted = new Promise<BrokerTopologyError | undefined>((resolve) => {
      const timer = setTimeout(resolve, options.bootWaitMs, undefined);
      broker.bootEnded = (error): void => {
        clearTimeout(timer);
        resolve(error);
      };
    });
    await Promise.all([broker.publishing.open(), broker.consuming.open()]);
    const mismatch = await booted;
    broker.bootEnded = (): void => undefined;
    if (mismatch !== undefined) {
      await broker.close();
      throw mismatch;
    }
    broker.watchTimer = setInterval(() => void broker.watch(), options.watchIntervalMs);
    return broker;
  }

  publish(message: OutgoingMessage): Promise<void> {
    return this.publisher.publish(message);
  }

  consume(options: ConsumeOptions): Promise<Consumption> {
    const consumption = new RabbitConsumption(this, options, this.tuning);
    this.consumptions.add(consumption);
    return Promise.resolve(consumption);
  }

  async depth(queue: string): Promise<QueueDepth> {
    const model = this.consuming.model;
    if (model === undefined) throw new GatewayError('broker_unavailable', 'RabbitMQ is not connected.');
    try {
      const { messageCount, consumerCount } = await this.control.checkQueue(model, queue);
      // RabbitMQ counts those that wait; those in hand we know of this process only.
      let inHand = 0;
      for (const consumption of this.consumptions) if (consumption.queue === queue) inHand += consumption.inHand;
      return { messages: messageCount + inHand, consumers: consumerCount };
    } catch (error) {
      throw new GatewayError('broker_unavailable', `RabbitMQ does not tell the depth of ${queue}.`, { cause: error });
    }
  }

  async findUntoldDead(queue: string, told: (message: IncomingMessage) => Promise<void>): Promise<number> {
    const model = this.consuming.model;
    if (model === undefined) throw new GatewayError('broker_unavailable', 'RabbitMQ is not connected.');
    return findUntoldDead(model, queue, told);
  }

  status(): BrokerStatus {
    if (this.closed) return { ready: false, reason: 'the broker is closed' };
    if (this.publishing.model === undefined) {
      return { ready: false, reason: `RabbitMQ is not connected: ${this.publishing.lastProblem}` };
    }
    if (this.publishing.blocked !== undefined) return { ready: false, reason: `RabbitMQ takes no messages: ${this.publishing.blocked}` };
    if (this.topologyProblem !== undefined) return { ready: false, reason: this.topologyProblem };
    if (!this.publisher.isOpen) return { ready: false, reason: 'the publishing channel is being opened' };
    return { ready: true };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.watchTimer);
    clearTimeout(this.retryTimer);
    clearTimeout(this.repairTimer);
    await Promise.all([...this.consumptions].map((consumption) => consumption.stop(0)));
    this.publisher.close();
    await Promise.all([this.publishing.close(), this.consuming.close()]);
  }

  model(): ChannelModel | undefined {
    return this.consuming.model;
  }

  stopped(consumption: RabbitConsumption): void {
    this.consumptions.delete(consumption);
  }

  /** Not at once: RabbitMQ first has to tell everyone that a queue is gone, or consumers of the old one would cling to the new. */
  repairSoon(): void {
    if (this.repairTimer !== undefined || this.closed) return;
    this.repairTimer = setTimeout(() => {
      this.repairTimer = undefined;
      this.repair().catch((error: unknown) => this.logger.error(`Declaring the queues again failed: ${messageOf(error)}`));
    }, REPAIR_DELAY_MS);
  }

  /** Declares everything again: mends a queue or binding that somebody has deleted. */
  private repair(model = this.consuming.model ?? this.publishing.model): Promise<void> {
    if (model === undefined || this.closed) return Promise.resolve();
    this.repairing ??= this.declare(model).finally(() => (this.repairing = undefined));
    return this.repairing;
  }

  /** Makes a new connection, or a new channel on it, ready to publish. */
  private async prepare(model: ChannelModel): Promise<void> {
    try {
      await this.repair(model);
      if (this.publishing.model !== model || this.closed) return;
      if (!this.publisher.isOpen) await this.publisher.open(model);
      this.bootEnded();
    } catch (error) {
      if (error instanceof BrokerTopologyError) this.bootEnded(error);
      if (this.publishing.model !== model || this.closed) return;
      this.logger.error(`RabbitMQ cannot be used yet: ${messageOf(error)}`);
      if (error instanceof NoAnswerError) this.publishing.drop(messageOf(error));
      else this.prepareLater();
    }
  }

  private prepareLater(): void {
    clearTimeout(this.retryTimer);
    if (this.closed) return;
    this.retryTimer = setTimeout(() => {
      if (this.publishing.model !== undefined) void this.prepare(this.publishing.model);
    }, RETRY_MS);
  }

  private async declare(model: ChannelModel): Promise<void> {
    try {
      await declareTopology(model, this.topology);
      this.topologyProblem = undefined;
    } catch (error) {
      if (error instanceof BrokerTopologyError) this.topologyProblem = error.message;
      throw error;
    }
  }

  private async watch(): Promise<void> {
    try {
      await this.repair();
      for (const consumption of this.consumptions) consumption.check();
    } catch (error) {
      this.logger.warn(`Watching the queues of RabbitMQ failed: ${messageOf(error)}`);
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
