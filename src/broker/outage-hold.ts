import { Logger } from '@nestjs/common';
import type { ConsumeOptions, IncomingMessage } from './broker';
import { OutageGate, type OutageWaits } from './outage-gate';
import type { Slot } from './slot';

/** What a consumption does when an outage lasts too long, and when it is over. */
export interface OutageActions<M extends IncomingMessage> {
  closeIntake: () => Promise<void>;
  /** Messages that are not in a group go back to the queue. */
  giveBackWaiting: () => void;
  release: (slot: Slot<M>) => void;
  /** @param wasSuspended The intake was closed. */
  reopened: (wasSuspended: boolean) => void;
}

/**
 * Keeps groups, unacknowledged and uncounted, until what they need is back. The broker would take back by force what is held for too
 * long, so it is given back before, and nothing is taken until the outage ends.
 */
export class OutageHold<M extends IncomingMessage> {
  private readonly logger = new Logger(OutageHold.name);
  private readonly held = new Set<Slot<M>>();
  private readonly gate: OutageGate;
  private suspended = false;

  constructor(
    private readonly options: Pick<ConsumeOptions, 'queue' | 'isAvailable'>,
    waits: OutageWaits,
    private readonly actions: OutageActions<M>,
  ) {
    this.gate = new OutageGate(options.isAvailable, waits, () => void this.suspend());
  }

  /** Something that handling needs is away. */
  get isOn(): boolean {
    return this.gate.closed;
  }

  /** It lasts too long: the intake is closed, and nothing is held. */
  get isSuspended(): boolean {
    return this.suspended;
  }

  /** Resolves when the group is to be tried again, or is gone. */
  async hold(slot: Slot<M>, reason: string): Promise<void> {
    if (!this.gate.closed) this.logger.warn(`${this.options.queue} waits: ${reason}`);
    this.held.add(slot);
    await slot.waitFor(this.gate.close().then(() => this.reopened()));
    this.held.delete(slot);
  }

  /** A group went through. */
  succeeded(): void {
    this.gate.succeeded();
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.gate.end();
  }

  releaseHeld(): void {
    for (const slot of this.held) this.actions.release(slot);
  }

  private reopened(): void {
    const wasSuspended = this.suspended;
    this.suspended = false;
    this.actions.reopened(wasSuspended);
  }

  private async suspend(): Promise<void> {
    this.suspended = true;
    await this.actions.closeIntake();
    if (!this.gate.closed) return;
    this.actions.giveBackWaiting();
    this.releaseHeld();
  }
}
