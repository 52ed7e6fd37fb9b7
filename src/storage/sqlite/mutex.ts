/** Lets one in at a time, in the order they came. */
export class Mutex {
  private locked = false;
  private readonly waiting: (() => void)[] = [];

  /** Resolves once the lock is held, with the function that gives it back. */
  async lock(): Promise<() => void> {
    if (this.locked) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.locked = true;
    return () => this.unlock();
  }

  private unlock(): void {
    const next = this.waiting.shift();
    // Handed over without being free in between: nobody can push in.
    if (next) next();
    else this.locked = false;
  }
}
