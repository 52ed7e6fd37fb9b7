import { Logger } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import { Broker, type BrokerStatus, type Consumption, type ConsumeOptions, type OutgoingMessage, type QueueDepth } from '../broker';
import { DEFAULT_TUNING, type Tuning } from '../group-consumer';
import { deadQueueOf, type Topology } from '../topology';
import { EmbeddedConsumption } from './embedded-consumption';
import { MessageStore } from './message-store';
import type { QueueState } from './queue-state';
import type { Durability } from './store-schema';
import { Router } from './topic-pattern';

/** Publishes that wait for their commit; beyond that the disk is not keeping up and senders are told to come again. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const PROBE_INTERVAL_MS = 2_000;

/** The broker without a broker: durable queues in one SQLite file of this process. */
export class EmbeddedBroker extends Broker {
  private readonly logger = new Logger(EmbeddedBroker.name);
  private readonly store: MessageStore;
  private readonly router: Router;
  private readonly tuning: Tuning;
  private probeTimer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(path: string, topology: Topology, tuning: Partial<Tuning> = {}) {
    super();
    this.store = new MessageStore(path, topology);
    this.router = new Router(topology, new Set([...topology.queues, ...topology.queues.map(deadQueueOf)]));
    this.tuning = { ...DEFAULT_TUNING, ...tuning };
  }

  publish(message: OutgoingMessage): Promise<void> {
    const names = this.router.route(message.exchange, message.routingKey);
    if (names.length === 0) {
      return unavailable(`No queue takes messages for "${message.routingKey}" of exchange "${message.exchange}".`);
    }
    if (this.closed) return unavailable('The broker is closed.');
    if (this.store.waitingBytes > MAX_WAITING_BYTES) return unavailable('The disk does not keep up.');
    const queues = names.map((name) => this.queue(name));
    return this.store.add(queues, message).catch((error: unknown) => {
      this.probeUntilWell();
      throw new GatewayError('broker_unavailable', 'The message could not be stored.', { cause: error });
    });
  }

  consume(options: ConsumeOptions): Promise<Consumption> {
    return Promise.resolve(new EmbeddedConsumption(this.store, this.queue(options.queue), options, this.tuning));
  }

  depth(queue: string): Promise<QueueDepth> {
    const { depth, consumers } = this.queue(queue);
    return Promise.resolve({ messages: depth, consumers });
  }

  /** Here only a consumption puts messages into a dead queue, and it tells. */
  findUntoldDead(): Promise<number> {
    return Promise.resolve(0);
  }

  status(): BrokerStatus {
    if (this.closed) return { ready: false, reason: 'the broker is closed' };
    const { failure } = this.store;
    return failure === undefined ? { ready: true } : { ready: false, reason: `the broker's file cannot be written: ${failure}` };
  }

  /** How the file is written; for the test that nothing is confirmed before it is on the disk. */
  durability(): Durability {
    return this.store.durability();
  }

  /** Bounds the file, in pages of 4 KiB, as a disk of that size would; it never falls below what it has. */
  limitPages(pages: number): void {
    this.store.limitPages(pages);
  }

  close(): Promise<void> {
    this.closed = true;
    clearInterval(this.probeTimer);
    this.store.close();
    return Promise.resolve();
  }

  private queue(name: string): QueueState {
    const queue = this.store.queues.get(name);
    if (queue === undefined) throw new Error(`There is no queue ${name}.`);
    return queue;
  }

  /** Load balancers send nothing to a process that is not ready, so it has to find out by itself. */
  private probeUntilWell(): void {
    if (this.probeTimer !== undefined || this.closed) return;
    this.logger.error(`Messages cannot be stored: ${this.store.failure ?? 'unknown reason'}`);
    this.probeTimer = setInterval(() => {
      const well = (): void => {
        clearInterval(this.probeTimer);
        this.probeTimer = undefined;
        this.logger.log('Messages are stored again.');
      };
      this.store.probe().then(well, () => undefined);
    }, PROBE_INTERVAL_MS);
  }
}

const unavailable = (message: string): Promise<never> => Promise.reject(new GatewayError('broker_unavailable', message));
