import type { IncomingMessage } from './broker';

/** Messages that were taken from the broker and wait for a free group, in their order. */
export class Inbox<M extends IncomingMessage> {
  private items: M[] = [];
  private head = 0;
  private heldBytes = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  push(message: M): void {
    this.items.push(message);
    this.heldBytes += message.body.length;
  }

  /** The next group: a redelivered message alone, else as many fresh ones as both limits allow, one at least. */
  take(maxMessages: number, maxBytes: number): M[] {
    const group: M[] = [];
    let bytes = 0;
    for (let next = this.items[this.head]; next !== undefined; next = this.items[this.head]) {
      const isFirst = group.length === 0;
      if (!isFirst && (next.redeliveries > 0 || group.length >= maxMessages || bytes + next.body.length > maxBytes)) break;
      group.push(next);
      bytes += next.body.length;
      this.head += 1;
      if (next.redeliveries > 0) break;
    }
    this.heldBytes -= bytes;
    this.compact();
    return group;
  }

  /** Everything that waits; the inbox is empty afterwards. */
  drain(): M[] {
    const rest = this.items.slice(this.head);
    this.items = [];
    this.head = 0;
    this.heldBytes = 0;
    return rest;
  }

  private compact(): void {
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head > 1024) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
  }
}
