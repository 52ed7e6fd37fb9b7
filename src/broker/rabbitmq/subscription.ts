import { Logger } from '@nestjs/common';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { NoAnswerError, within } from './within';

const ANSWER_TIMEOUT_MS = 5_000;
const RETRY_MS = 1_000;

export interface SubscriptionEvents {
  received(message: ConsumeMessage, channel: Channel): void;
  /** The channel is gone, and with it all that came by it. */
  lost(): void;
  /** Subscribing failed: perhaps the queue is missing. */
  repair(): void;
}

/**
 * Keeps one queue subscribed for as long as that is wanted, whatever ends the subscription: a lost connection, a closed
 * channel, a consumer that the broker cancels. All changes go one after the other.
 */
export class Subscription {
  channel: Channel | undefined;
  private readonly logger = new Logger(Subscription.name);
  private tag: string | undefined;
  private wanted = false;
  private ended = false;
  private prefetch = 1;
  private subscribedWith = 0;
  private working: Promise<void> | undefined;
  private again = false;
  private retryTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly queue: string,
    private readonly model: () => ChannelModel | undefined,
    private readonly events: SubscriptionEvents,
  ) {}

  get isSubscribed(): boolean {
    return this.tag !== undefined;
  }

  get isWanted(): boolean {
    return this.wanted;
  }

  start(prefetch: number): void {
    this.wanted = true;
    this.prefetch = prefetch;
    void this.reconcile();
  }

  /** Takes effect by subscribing anew; what was received stays in hand. */
  setPrefetch(prefetch: number): void {
    this.prefetch = prefetch;
    void this.reconcile();
  }

  /** Resolves when the broker sends nothing more. */
  stop(): Promise<void> {
    this.wanted = false;
    return this.reconcile();
  }

  /** After a new connection, or when the watch finds the consumer missing. */
  connected(): void {
    void this.reconcile();
  }

  /** Subscribes over a new channel. */
  renew(): void {
    this.abandon();
    void this.reconcile();
  }

  disconnected(): void {
    if (this.channel !== undefined) this.onClose(this.channel);
  }

  /** Gives the channel up; the broker takes back what is not settled. */
  async end(): Promise<void> {
    this.ended = true;
    this.wanted = false;
    clearTimeout(this.retryTimer);
    const { channel } = this;
    this.channel = undefined;
    this.tag = undefined;
    if (channel !== undefined) await within(ANSWER_TIMEOUT_MS, 'closing a channel', channel.close()).catch(() => undefined);
  }

  private reconcile(): Promise<void> {
    this.again = true;
    this.working ??= this.work().finally(() => (this.working = undefined));
    return this.working;
  }

  private async work(): Promise<void> {
    while (this.again) {
      this.again = false;
      clearTimeout(this.retryTimer);
      try {
        await within(3 * ANSWER_TIMEOUT_MS, `subscribing to ${this.queue}`, this.step());
      } catch (error) {
        this.onFailure(error);
      }
    }
  }

  private async step(): Promise<void> {
    const model = this.model();
    if (this.ended || model === undefined) return;
    if (!this.wanted) {
      await this.cancel(this.tag);
    } else if (this.tag === undefined) {
      await this.subscribe(model);
    } else if (this.prefetch !== this.subscribedWith) {
      const { tag } = this;
      await this.subscribe(model);
      await this.cancel(tag);
    }
  }

  private async subscribe(model: ChannelModel): Promise<void> {
    const channel = (this.channel ??= await this.openChannel(model));
    const { prefetch } = this;
    await channel.prefetch(prefetch);
    const consumer: { tag?: string } = {};
    const { consumerTag } = await channel.consume(this.queue, (message) => {
      if (this.channel !== channel) return;
      if (message !== null) this.events.received(message, channel);
      else this.onCancelled(consumer.tag);
    });
    if (this.channel !== channel) return;
    consumer.tag = consumerTag;
    this.tag = consumerTag;
    this.subscribedWith = prefetch;
  }

  private async cancel(tag: string | undefined): Promise<void> {
    if (tag === undefined || this.channel === undefined) return;
    if (this.tag === tag) this.tag = undefined;
    await within(ANSWER_TIMEOUT_MS, `cancelling the consumer of ${this.queue}`, this.channel.cancel(tag));
  }

  private async openChannel(model: ChannelModel): Promise<Channel> {
    const channel = await within(ANSWER_TIMEOUT_MS, 'opening a channel', model.createChannel());
    channel.on('error', (error: Error) => this.logger.warn(`The channel of ${this.queue} failed: ${error.message}`));
    channel.on('close', () => this.onClose(channel));
    return channel;
  }

  /** The queue was deleted, its node is gone, or the broker has cut us off. Without this the consumer would stay away silently. */
  private onCancelled(tag: string | undefined): void {
    if (tag !== undefined && this.tag !== tag) return;
    this.logger.warn(`RabbitMQ cancelled the consumer of ${this.queue}`);
    // Not on this channel again: it may still stand for the queue that was deleted.
    this.renew();
  }

  private onClose(channel: Channel): void {
    if (this.channel !== channel) return;
    this.channel = undefined;
    this.tag = undefined;
    this.events.lost();
    if (this.model() !== undefined) this.retryLater();
  }

  private onFailure(error: unknown): void {
    if (this.ended) return;
    const reason = error instanceof Error ? error.message : String(error);
    // It may have ended before anybody listened for that: never try again on it. One queue that does not answer (its leader may be
    // gone) must not cost the others their connection: heartbeats judge that.
    this.abandon();
    if (this.model() === undefined) return;
    this.logger.warn(`Consuming from ${this.queue} failed: ${reason}`);
    if (!(error instanceof NoAnswerError)) this.events.repair();
    this.retryLater();
  }

  private abandon(): void {
    const { channel } = this;
    if (channel === undefined) return;
    this.onClose(channel);
    channel.close().catch(() => undefined);
  }

  private retryLater(): void {
    if (this.ended) return;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.reconcile(), RETRY_MS);
  }
}
