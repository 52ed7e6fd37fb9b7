import { Logger } from '@nestjs/common';
import { isOutage } from '../core/errors';
import type { Consumption, ConsumeOptions, IncomingMessage, Verdict } from './broker';
import { Inbox } from './inbox';
import { OutageHold } from './outage-hold';
import { Parking, retryDelayMs } from './parking';
import { Slot } from './slot';
import { REDELIVERY_LIMIT } from './topology';

/** What an adapter does for a consumption. It gives messages by `push` and loses them by `lose`. */
export interface Engine<M extends IncomingMessage> {
  /** There is room for this much: push what waits. An adapter that is sent its messages does nothing here. */
  refill(maxMessages: number, maxBytes: number): void;
  /** The group is about to be handled for the first time. */
  handOut(group: readonly M[]): void;
  ack(messages: readonly M[]): void | Promise<void>;
  /** Back to the queue; `counted` when they failed by their own fault. */
  requeue(messages: readonly M[], counted: boolean): void;
  /** Resolves when it lies in the dead queue for good and is acknowledged here. */
  bury(message: M, reason: string): Promise<void>;
  /** Take messages from the queue. */
  openIntake(): void;
  /** Resolves when nothing more is pushed. */
  closeIntake(): Promise<void>;
}

export interface Tuning {
  maxRetryDelayMs: number;
  firstProbeMs: number;
  maxProbeMs: number;
  /** How long messages may be held unacknowledged during an outage. */
  holdLimitMs: number;
  /** Body bytes in the hands of handlers at once. */
  maxBytesInFlight: number;
}

export const DEFAULT_TUNING: Tuning = {
  maxRetryDelayMs: 1_000,
  firstProbeMs: 100,
  maxProbeMs: 5_000,
  holdLimitMs: Infinity,
  maxBytesInFlight: 64 * 1024 * 1024,
};

export const DEFAULT_GROUP_MESSAGES = 200;
export const DEFAULT_GROUP_BYTES = 4 * 1024 * 1024;
/** Failed messages that wait beside the groups for their next try. */
export const MAX_PARKED = 64;

/**
 * A group may be what is too much: so large that its statement runs out of time, while all else works. So one that meets an outage
 * this often, and each time was told that it is over, is split.
 */
const OUTAGES_OF_A_GROUP = 3;

/** Everything about consuming in groups that does not depend on the broker: see ConsumeOptions. */
export class GroupConsumer<M extends IncomingMessage> implements Consumption {
  private readonly logger = new Logger(GroupConsumer.name);
  private readonly inbox = new Inbox<M>();
  private readonly slots = new Set<Slot<M>>();
  private readonly parking: Parking<M>;
  private readonly outage: OutageHold<M>;
  private readonly maxMessages: number;
  private readonly maxBytes: number;
  private bytesInFlight = 0;
  private state: 'running' | 'paused' | 'stopped' = 'running';
  private pumpScheduled = false;
  private onIdle: (() => void) | undefined;

  constructor(
    private readonly options: ConsumeOptions,
    private readonly engine: Engine<M>,
    private readonly tuning: Tuning,
  ) {
    this.maxMessages = options.maxGroupMessages ?? DEFAULT_GROUP_MESSAGES;
    this.maxBytes = options.maxGroupBytes ?? DEFAULT_GROUP_BYTES;
    this.parking = new Parking(MAX_PARKED, this.maxBytes, (message) => engine.requeue([message], true));
    const waits = { firstMs: tuning.firstProbeMs, maxMs: tuning.maxProbeMs, holdLimitMs: tuning.holdLimitMs };
    this.outage = new OutageHold<M>(options, waits, {
      closeIntake: () => engine.closeIntake(),
      giveBackWaiting: () => this.giveBack(this.inbox.drain()),
      release: (slot) => this.release(slot),
      reopened: (wasSuspended) => this.reopened(wasSuspended),
    });
  }

  /** Bytes that were taken and are not settled, for adapters that bound what they are sent. */
  get waitingBytes(): number {
    return this.inbox.bytes;
  }

  push(message: M): void {
    this.inbox.push(message);
    this.wake();
  }

  /** Forms groups once the present turn of the event loop is over, so that what arrives together is handled together. */
  wake(): void {
    if (this.pumpScheduled) return;
    this.pumpScheduled = true;
    setImmediate(() => {
      this.pumpScheduled = false;
      this.pump();
    });
  }

  /** The connection is gone and the broker has everything back: forget it. */
  lose(): void {
    this.inbox.drain();
    this.parking.clear();
    for (const slot of this.slots) slot.abandon();
  }

  async pause(): Promise<void> {
    if (this.state !== 'running') return;
    this.state = 'paused';
    await this.engine.closeIntake();
    if (this.isTaking()) return;
    this.giveBack(this.inbox.drain());
  }

  resume(): Promise<void> {
    if (this.state === 'paused') {
      this.state = 'running';
      if (!this.outage.isSuspended) this.engine.openIntake();
      this.wake();
    }
    return Promise.resolve();
  }

  async stop(deadlineMs: number): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    this.state = 'stopped';
    await this.engine.closeIntake();
    this.outage.end();
    this.giveBack(this.inbox.drain());
    this.parking.releaseAll();
    this.outage.releaseHeld();
    await this.idle(deadline - Date.now());
    for (const slot of this.slots) this.release(slot);
  }

  private isTaking(): boolean {
    return this.state === 'running';
  }

  private pump(): void {
    const { concurrency } = this.options;
    while (this.isTaking() && !this.outage.isOn && this.slots.size < concurrency) {
      if (this.bytesInFlight >= this.tuning.maxBytesInFlight) return;
      if (this.inbox.size === 0) this.refill();
      const group = this.inbox.take(this.maxMessages, this.maxBytes);
      if (group.length === 0) return;
      void this.occupy(group);
    }
  }

  /** Messages that cannot be read just now stay where they are, and are asked for again. */
  private refill(): void {
    try {
      this.engine.refill(this.maxMessages, this.maxBytes);
    } catch (error) {
      this.logger.error(`Messages of ${this.options.queue} cannot be read: ${describe(error)}`);
      setTimeout(() => this.wake(), this.tuning.maxRetryDelayMs).unref();
    }
  }

  private async occupy(group: M[]): Promise<void> {
    const slot = new Slot(group);
    this.slots.add(slot);
    this.bytesInFlight += slot.bytes;
    try {
      this.engine.handOut(group);
      await this.run(slot, group);
    } catch (error) {
      this.logger.error(`Settling messages of ${this.options.queue} failed: ${describe(error)}`);
      this.release(slot);
    }
    this.slots.delete(slot);
    this.bytesInFlight -= slot.bytes;
    if (this.slots.size === 0) this.onIdle?.();
    this.wake();
  }

  private async run(slot: Slot<M>, group: M[]): Promise<void> {
    const [first] = group;
    if (first !== undefined && first.redeliveries >= REDELIVERY_LIMIT) {
      return this.giveUp(slot, first);
    }
    let outages = 0;
    while (!slot.gone) {
      let verdicts: Verdict[];
      try {
        verdicts = await this.options.handle(group);
        if (verdicts.length !== group.length) throw new Error(`${verdicts.length} verdicts for ${group.length} messages`);
      } catch (error) {
        if (isOutage(error)) {
          await this.hold(slot, error);
          outages += 1;
          if (slot.gone || group.length === 1 || outages < OUTAGES_OF_A_GROUP) continue;
        }
        if (group.length > 1) {
          this.logger.warn(`A group of ${group.length} messages of ${this.options.queue} failed, each is tried alone: ${describe(error)}`);
          for (const message of group) await this.run(slot, [message]);
          return;
        }
        verdicts = [{ kind: 'retry', reason: describe(error) }];
      }
      this.outage.succeeded();
      return this.settle(slot, group, verdicts);
    }
  }

  private async giveUp(slot: Slot<M>, message: M): Promise<void> {
    while (!slot.gone) {
      try {
        await this.options.givenUp?.(message);
      } catch (error) {
        if (isOutage(error)) {
          await this.hold(slot, error);
          continue;
        }
        this.logger.error(`Nobody could be told that message ${message.id} of ${message.queue} is given up: ${describe(error)}`);
      }
      return this.bury(slot, message, `handed out ${message.redeliveries} times and never answered`);
    }
  }

  private async settle(slot: Slot<M>, group: M[], verdicts: Verdict[]): Promise<void> {
    const acked: M[] = [];
    const buried: Promise<void>[] = [];
    for (const [index, message] of group.entries()) {
      const verdict = verdicts[index];
      if (slot.gone || verdict === undefined) return;
      if (verdict.kind === 'ack') acked.push(message);
      else if (verdict.kind === 'dead') buried.push(this.bury(slot, message, verdict.reason));
      else if (message.redeliveries + 1 < REDELIVERY_LIMIT) this.retry(slot, message, verdict.reason);
      else buried.push(this.bury(slot, message, `failed ${REDELIVERY_LIMIT} times: ${verdict.reason}`));
    }
    for (const message of acked) slot.messages.delete(message);
    if (acked.length > 0) await this.engine.ack(acked);
    if (buried.length > 0) await Promise.all(buried);
  }

  private retry(slot: Slot<M>, message: M, reason: string): void {
    slot.messages.delete(message);
    this.logger.warn(`Message ${message.id} of ${message.queue} failed, try ${message.redeliveries + 1}: ${reason}`);
    if (this.state === 'stopped') this.engine.requeue([message], true);
    else this.parking.park(message, retryDelayMs(message.redeliveries, this.tuning.maxRetryDelayMs));
  }

  private async bury(slot: Slot<M>, message: M, reason: string): Promise<void> {
    try {
      await this.engine.bury(message, reason);
      slot.messages.delete(message);
      this.logger.warn(`Message ${message.id} of ${message.queue} is dead: ${reason}`);
    } catch (error) {
      if (slot.gone) return;
      this.logger.error(`Message ${message.id} could not be laid in the dead queue, it goes back: ${describe(error)}`);
      slot.messages.delete(message);
      if (this.state === 'stopped') this.engine.requeue([message], false);
      else this.parking.park(message, this.tuning.maxProbeMs);
    }
  }

  private async hold(slot: Slot<M>, error: unknown): Promise<void> {
    if (slot.gone) return;
    if (this.state === 'stopped' || this.outage.isSuspended) return this.release(slot);
    await this.outage.hold(slot, describe(error));
  }

  private reopened(wasSuspended: boolean): void {
    if (wasSuspended && this.isTaking()) this.engine.openIntake();
    this.wake();
  }

  /** Gives back what of a group is not settled. */
  private release(slot: Slot<M>): void {
    if (!slot.gone) this.giveBack(slot.abandon());
  }

  private giveBack(messages: M[]): void {
    if (messages.length > 0) this.engine.requeue(messages, false);
  }

  private async idle(timeoutMs: number): Promise<void> {
    if (this.slots.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      timer = setTimeout(resolve, Math.max(0, timeoutMs));
    });
    clearTimeout(timer);
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
