import type { IncomingMessage } from './broker';

/** One group in flight. */
export class Slot<M extends IncomingMessage> {
  /** What of it is not settled yet. */
  readonly messages: Set<M>;
  readonly bytes: number;
  /** Settled otherwise, or the broker has it back: the handler's answer no longer counts. */
  gone = false;
  private wake: () => void = () => undefined;

  constructor(group: readonly M[]) {
    this.messages = new Set(group);
    this.bytes = group.reduce((sum, message) => sum + message.body.length, 0);
  }

  /** Resolves when `over` does, or when it is gone. */
  async waitFor(over: Promise<void>): Promise<void> {
    await Promise.race([over, new Promise<void>((resolve) => (this.wake = resolve))]);
  }

  /** @returns what was not settled. */
  abandon(): M[] {
    const left = [...this.messages];
    this.gone = true;
    this.messages.clear();
    this.wake();
    return left;
  }
}
