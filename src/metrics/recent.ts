/** Asks at most once in `maxAgeMs`, whoever wants to know, and never makes them wait for longer than `timeLimitMs`. */
export class Recent<T> {
  private value: T;
  private askedAt = -Infinity;
  private asking: Promise<void> | undefined;

  /** @param unknown What is said while there is no answer in time, or when asking fails. */
  constructor(
    private readonly ask: () => Promise<T>,
    private readonly unknown: T,
    private readonly limits: { maxAgeMs: number; timeLimitMs: number },
  ) {
    this.value = unknown;
  }

  async get(): Promise<T> {
    if (this.asking === undefined && performance.now() - this.askedAt < this.limits.maxAgeMs) return this.value;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<T>((resolve) => {
      timer = setTimeout(() => resolve(this.unknown), this.limits.timeLimitMs);
    });
    this.asking ??= this.refresh();
    const result = await Promise.race([this.asking.then(() => this.value), late]);
    clearTimeout(timer);
    return result;
  }

  private async refresh(): Promise<void> {
    try {
      this.value = await this.ask();
    } catch {
      this.value = this.unknown;
    }
    this.askedAt = performance.now();
    this.asking = undefined;
  }
}
