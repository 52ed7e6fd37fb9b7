import { Logger } from '@nestjs/common';
import type { ChannelModel, ConfirmChannel, Message } from 'amqplib';
import { GatewayError } from '../../core/errors';
import type { OutgoingMessage } from '../broker';
import { encodePublish } from './publish-frames';
import { within } from './within';

/** Beyond these, senders are told to come again: what waits here lies in memory only. */
const MAX_IN_FLIGHT = 5_000;
const MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024;
const SWEEP_MS = 100;
const PROBE_IDLE_MS = 10_000;
const PROBE_KEY = 'hookline.probe';

interface Pending {
  readonly since: number;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: GatewayError) => void;
}

/** What the library's channel has, and its types do not tell of. The library's version is fixed in package.json. */
interface RawChannel {
  /** Its number on the connection. */
  ch: number;
  connection: { frameMax: number; sendBytes(bytes: Buffer): void };
  /** Counts a message: the callbacks take the broker's confirms in their order. */
  pushConfirmCallback(onConfirm: (error: unknown) => void): void;
}

/** What the publisher needs of its connection. */
export interface PublishLine {
  /** Why the broker takes no messages, while it does not. */
  blocked(): string | undefined;
  drop(reason: string): void;
}

/** Publishes on a confirm channel. A promise resolves at the broker's confirm of a message that reached a queue, and never hangs. */
export class Publisher {
  private readonly logger = new Logger(Publisher.name);
  private channel: ConfirmChannel | undefined;
  private readonly inFlight = new Set<Pending>();
  private bytesInFlight = 0;
  /** Messages that came back, until their confirm, which follows at once. */
  private readonly returned = new Set<string>();
  private lastConfirmAt = 0;
  /** Written together at the end of this turn of the event loop. */
  private outbox: Buffer[] = [];
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly line: PublishLine,
    private readonly timeoutMs: number,
    private readonly events: { channelClosed: () => void; unroutable: () => void },
  ) {
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  get isOpen(): boolean {
    return this.channel !== undefined;
  }

  async open(model: ChannelModel): Promise<void> {
    const channel = await within(this.timeoutMs, 'opening the publishing channel', model.createConfirmChannel());
    channel.on('error', (error: Error) => this.logger.error(`The publishing channel failed: ${error.message}`));
    channel.on('return', (message: Message) => {
      const { exchange, routingKey } = message.fields as { exchange: string; routingKey: string };
      this.returned.add(returnKey(exchange, routingKey, String(message.properties.messageId)));
    });
    channel.on('close', () => this.onClose(channel));
    this.channel = channel;
    this.lastConfirmAt = Date.now();
  }

  publish(message: OutgoingMessage): Promise<void> {
    const { channel } = this;
    if (channel === undefined) return unavailable('RabbitMQ is not connected.');
    const blocked = this.line.blocked();
    if (blocked !== undefined) return unavailable(`RabbitMQ takes no messages: ${blocked}`);
    if (this.inFlight.size >= MAX_IN_FLIGHT || this.bytesInFlight >= MAX_BYTES_IN_FLIGHT) {
      return unavailable('Too many messages wait for RabbitMQ.');
    }
    return new Promise((resolve, reject) => {
      const raw = channel as unknown as RawChannel;
      let frames: Buffer;
      try {
        frames = encodePublish(raw.ch, message, raw.connection.frameMax);
      } catch (error) {
        reject(failure(`The message cannot be sent. ${String((error as Error).message)}`, error));
        return;
      }
      const pending: Pending = { since: Date.now(), bytes: message.body.length, resolve, reject };
      this.inFlight.add(pending);
      this.bytesInFlight += pending.bytes;
      raw.pushConfirmCallback((error) => this.onConfirm(pending, message, error));
      if (this.outbox.length === 0) setImmediate(() => this.flush(channel));
      this.outbox.push(frames);
    });
  }

  /** Nothing can be published on this connection any more. */
  disconnected(): void {
    if (this.channel !== undefined) this.onClose(this.channel);
  }

  close(): void {
    clearInterval(this.sweeper);
    this.disconnected();
  }

  /** One write for all the messages of a turn, past the library's own queue, which this channel uses for nothing else. */
  private flush(channel: ConfirmChannel): void {
    if (this.channel !== channel) return;
    const frames = this.outbox;
    this.outbox = [];
    (channel as unknown as RawChannel).connection.sendBytes(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }

  private onConfirm(pending: Pending, { exchange, routingKey, id }: OutgoingMessage, error: unknown): void {
    this.lastConfirmAt = Date.now();
    if (this.returned.size > 0 && this.returned.delete(returnKey(exchange, routingKey, id))) {
      if (routingKey === PROBE_KEY) return this.settle(pending);
      this.events.unroutable();
      return this.settle(pending, failure(`No queue takes messages for "${routingKey}" of exchange "${exchange}".`));
    }
    if (error === null || error === undefined) this.settle(pending);
    else this.settle(pending, failure('RabbitMQ did not take the message.', error));
  }

  private settle(pending: Pending, error?: GatewayError): void {
    if (!this.inFlight.delete(pending)) return;
    this.bytesInFlight -= pending.bytes;
    if (error === undefined) pending.resolve();
    else pending.reject(error);
  }

  private onClose(channel: ConfirmChannel): void {
    if (this.channel !== channel) return;
    this.channel = undefined;
    this.returned.clear();
    this.outbox = [];
    // The library calls only some of the callbacks when a channel ends.
    for (const pending of this.inFlight) this.settle(pending, failure('The connection to RabbitMQ was lost.'));
    this.events.channelClosed();
  }

  /** Ends what waits for too long, and the connection with it if nothing at all is confirmed any more. */
  private sweep(): void {
    const now = Date.now();
    let expired = 0;
    for (const pending of this.inFlight) {
      if (now - pending.since < this.timeoutMs - SWEEP_MS) break;
      this.settle(pending, failure(`RabbitMQ did not confirm the message within ${this.timeoutMs} ms.`));
      expired += 1;
    }
    if (this.channel === undefined || this.line.blocked() !== undefined) return;
    const silentMs = now - this.lastConfirmAt;
    if (expired > 0 && silentMs >= this.timeoutMs - SWEEP_MS) this.line.drop('it confirms nothing any more');
    else if (silentMs >= PROBE_IDLE_MS && this.inFlight.size === 0) this.probe();
  }

  /** To a queue that does not exist: it comes back and is confirmed, which shows that the connection works. */
  private probe(): void {
    this.publish({ exchange: '', routingKey: PROBE_KEY, id: PROBE_KEY, body: Buffer.alloc(0), headers: {} }).catch(() => undefined);
  }
}

const returnKey = (exchange: string, routingKey: string, id: string): string => `${id}\n${exchange}\n${routingKey}`;

const failure = (message: string, cause?: unknown): GatewayError => new GatewayError('broker_unavailable', message, { cause });

const unavailable = (message: string): Promise<never> => Promise.reject(failure(message));
