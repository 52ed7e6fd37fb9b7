/** Between two looks that strangers cause. */
const LOOK_EVERY_MS = 50;

/** A read of what has changed: one at a time, shared by all who ask while it cannot begin. */
export class SharedRead {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private look: Promise<void> | undefined;
  /** When the last look began, by `performance.now()`. */
  private lookedAtMs = -LOOK_EVERY_MS;

  constructor(private readonly read: () => Promise<void>) {}

  /** Resolves when every change is seen that was committed before the call. @throws what the read throws, or the one under way. */
  fresh(): Promise<void> {
    if (this.running === undefined) return this.start();
    // The read under way may have begun before that commit.
    this.next ??= this.running.finally(() => (this.next = undefined)).then(() => this.start());
    return this.next;
  }

  /** As fresh, for what anybody may ask as often as they like: 20 reads a second at most, and all who ask between two share the next one. */
  freshForStrangers(): Promise<void> {
    this.look ??= this.turnOfStrangers().then(() => this.fresh());
    return this.look;
  }

  private start(): Promise<void> {
    this.running = this.read().finally(() => (this.running = undefined));
    return this.running;
  }

  private async turnOfStrangers(): Promise<void> {
    const waitMs = this.lookedAtMs + LOOK_EVERY_MS - performance.now();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    this.lookedAtMs = performance.now();
    this.look = undefined;
  }
}
