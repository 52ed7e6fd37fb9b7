import type { Consumption, ConsumeOptions } from '../broker';
import { deadMessage } from '../dead-message';
import { type Engine, GroupConsumer, type Tuning } from '../group-consumer';
import { deadQueueOf } from '../topology';
import type { MessageStore } from './message-store';
import type { QueueState, StoredMessage } from './queue-state';

/** Consumes from the store: messages are read from the disk when a group is free to take them. */
export class EmbeddedConsumption implements Consumption, Engine<StoredMessage> {
  private readonly consumer: GroupConsumer<StoredMessage>;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly store: MessageStore,
    private readonly queue: QueueState,
    options: ConsumeOptions,
    tuning: Tuning,
  ) {
    this.consumer = new GroupConsumer(options, this, tuning);
    this.openIntake();
    this.consumer.wake();
  }

  pause(): Promise<void> {
    return this.consumer.pause();
  }

  resume(): Promise<void> {
    return this.consumer.resume();
  }

  stop(deadlineMs: number): Promise<void> {
    return this.consumer.stop(deadlineMs);
  }

  refill(maxMessages: number, maxBytes: number): void {
    for (const message of this.store.take(this.queue, maxMessages, maxBytes)) this.consumer.push(message);
  }

  handOut(group: readonly StoredMessage[]): void {
    this.store.handOut(group);
  }

  ack(messages: readonly StoredMessage[]): Promise<void> {
    return this.store.ack(this.queue, messages);
  }

  requeue(messages: readonly StoredMessage[], counted: boolean): void {
    this.store.giveBack(this.queue, messages, counted);
  }

  bury(message: StoredMessage, reason: string): Promise<void> {
    const dead = this.store.queues.get(deadQueueOf(message.queue));
    if (dead === undefined) return Promise.reject(new Error(`${message.queue} has no dead queue.`));
    return this.store.move(this.queue, message, dead, deadMessage(message, reason, Date.now()));
  }

  openIntake(): void {
    if (this.unsubscribe !== undefined) return;
    this.queue.consumers += 1;
    this.unsubscribe = this.queue.onMessages(() => this.consumer.wake());
  }

  closeIntake(): Promise<void> {
    if (this.unsubscribe !== undefined) this.queue.consumers -= 1;
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    return Promise.resolve();
  }
}
