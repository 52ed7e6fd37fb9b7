import type { Channel, ChannelModel, ConsumeMessage, Message } from 'amqplib';
import type { Consumption, ConsumeOptions, OutgoingMessage } from '../broker';
import { deadMessage } from '../dead-message';
import { DEFAULT_GROUP_BYTES, DEFAULT_GROUP_MESSAGES, type Engine, GroupConsumer, MAX_PARKED, type Tuning } from '../group-consumer';
import { Prefetch } from './prefetch';
import { type RabbitMessage, toMessage } from './rabbit-message';
import { Subscription } from './subscription';

export interface ConsumptionHost {
  model(): ChannelModel | undefined;
  publish(message: OutgoingMessage): Promise<void>;
  repairSoon(): void;
  stopped(consumption: RabbitConsumption): void;
}

/** Consumes from one queue, over a channel of its own. */
export class RabbitConsumption implements Consumption, Engine<RabbitMessage> {
  readonly queue: string;
  private readonly consumer: GroupConsumer<RabbitMessage>;
  private readonly subscription: Subscription;
  private readonly prefetch: Prefetch;
  private readonly budgetBytes: number;
  /** Delivery tags that are not settled, lowest first. */
  private readonly unsettled = new Set<number>();
  /** Messages that did not fit, by their tags: their bodies are let go. */
  private overflow: number[] = [];
  private choked = false;
  private intakeOpen = false;
  private received = 0;
  private receivedAtLastCheck = -1;

  constructor(
    private readonly host: ConsumptionHost,
    options: ConsumeOptions,
    tuning: Tuning,
  ) {
    this.queue = options.queue;
    const { concurrency, maxGroupBytes = DEFAULT_GROUP_BYTES, maxGroupMessages = DEFAULT_GROUP_MESSAGES } = options;
    this.budgetBytes = Math.min((concurrency + 1) * maxGroupBytes, tuning.maxBytesInFlight);
    this.prefetch = new Prefetch(this.budgetBytes, (concurrency + 1) * maxGroupMessages + MAX_PARKED);
    this.consumer = new GroupConsumer(options, this, tuning);
    this.subscription = new Subscription(this.queue, () => host.model(), {
      received: (message, channel) => this.onMessage(message, channel),
      lost: () => this.onLost(),
      repair: () => host.repairSoon(),
    });
    this.openIntake();
  }

  /** Messages in the hands of this process. */
  get inHand(): number {
    return this.unsettled.size;
  }

  pause(): Promise<void> {
    return this.consumer.pause();
  }

  resume(): Promise<void> {
    return this.consumer.resume();
  }

  async stop(deadlineMs: number): Promise<void> {
    await this.consumer.stop(deadlineMs);
    await this.subscription.end();
    this.unsettled.clear();
    this.host.stopped(this);
  }

  connected(): void {
    this.subscription.connected();
  }

  disconnected(): void {
    this.subscription.disconnected();
  }

  /**
   * Called now and then. A consumer that gets nothing may be idle, or have been dropped without a word: a queue that is deleted and
   * declared again within some 30 ms keeps a consumer whose messages go nowhere (3.10). So an idle one is renewed.
   */
  check(): void {
    const idle = this.received === this.receivedAtLastCheck && this.unsettled.size === 0;
    this.receivedAtLastCheck = this.received;
    if (idle && this.subscription.isSubscribed) this.subscription.renew();
  }

  refill(): void {
    // The broker sends.
  }

  /** The broker counts. */
  handOut(): void {
    if (this.choked) this.breathe();
  }

  ack(messages: readonly RabbitMessage[]): void {
    // Tags begin anew on each channel: one of a lost channel must not settle its namesake.
    const mine = messages.filter(({ channel, deliveryTag }) => channel === this.subscription.channel && this.unsettled.delete(deliveryTag));
    const highest = mine.reduce((max, { deliveryTag }) => Math.max(max, deliveryTag), 0);
    const lowestLeft = this.unsettled.values().next();
    // One frame for all, when nothing before them is still in hand.
    if (mine.length > 1 && (lowestLeft.done === true || lowestLeft.value > highest)) {
      this.send((channel) => channel.ack(tagged(highest), true));
      return;
    }
    for (const { deliveryTag } of mine) this.send((channel) => channel.ack(tagged(deliveryTag)));
  }

  /** A reject counts on every version of RabbitMQ; a nack does not from 4.3 on. */
  requeue(messages: readonly RabbitMessage[], counted: boolean): void {
    for (const { deliveryTag, channel: origin } of messages) {
      if (origin !== this.subscription.channel || !this.unsettled.delete(deliveryTag)) continue;
      if (counted) this.send((channel) => channel.reject(tagged(deliveryTag), true));
      else this.send((channel) => channel.nack(tagged(deliveryTag), false, true));
    }
  }

  async bury(message: RabbitMessage, reason: string): Promise<void> {
    await this.host.publish(deadMessage(message, reason, Date.now()));
    this.ack([message]);
  }

  openIntake(): void {
    this.intakeOpen = true;
    if (this.choked) this.breathe();
    else this.subscription.start(this.prefetch.current);
  }

  closeIntake(): Promise<void> {
    this.intakeOpen = false;
    return this.subscription.stop();
  }

  private onMessage(raw: ConsumeMessage, channel: Channel): void {
    const message = toMessage(raw, this.queue, channel);
    this.received += 1;
    this.unsettled.add(message.deliveryTag);
    const { waitingBytes } = this.consumer;
    if (this.choked || (waitingBytes > 0 && waitingBytes + message.body.length > 2 * this.budgetBytes)) return this.letGo(message);
    if (this.prefetch.observe(message.body.length)) this.subscription.setPrefetch(this.prefetch.current);
    this.consumer.push(message);
  }

  /**
   * Messages far larger than those before fill the memory: take none until there is room, then fewer ahead. Giving this one
   * back at once would only make the broker send it again, counted, for as long as the consumer is there.
   */
  private letGo({ deliveryTag }: RabbitMessage): void {
    this.overflow.push(deliveryTag);
    if (this.choked) return;
    this.choked = true;
    this.prefetch.restart();
    void this.subscription.stop().then(() => this.breathe());
  }

  private breathe(): void {
    if (!this.choked || this.subscription.isSubscribed) return;
    for (const deliveryTag of this.overflow.splice(0)) {
      this.unsettled.delete(deliveryTag);
      this.send((channel) => channel.nack(tagged(deliveryTag), false, true));
    }
    if (this.consumer.waitingBytes > this.budgetBytes / 2) return;
    this.choked = false;
    if (this.intakeOpen) this.subscription.start(this.prefetch.current);
  }

  private onLost(): void {
    this.overflow = [];
    this.unsettled.clear();
    this.consumer.lose();
    this.breathe();
  }

  private send(command: (channel: Channel) => void): void {
    const { channel } = this.subscription;
    if (channel === undefined) return;
    try {
      command(channel);
    } catch {
      // The channel has just ended: the broker hands the message out again.
    }
  }
}

/** All that settling needs of a message. */
const tagged = (deliveryTag: number): Message => ({ fields: { deliveryTag } }) as Message;
