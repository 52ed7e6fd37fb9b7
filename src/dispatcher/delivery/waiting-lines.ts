interface Line<J> {
  /** Attempts under way. */
  underWay: number;
  waiting: J[];
}

/**
 * Jobs that this process has in hand and that wait for their endpoint's turn, first come, first served. Only endpoints that answer
 * quickly get so many: their next attempts begin at once, without the database, when one has ended.
 */
export class WaitingLines<J> {
  private readonly lines = new Map<string, Line<J>>();
  private count = 0;
  private listeners: (() => void)[] = [];

  /** Jobs that wait, over all endpoints. */
  get waiting(): number {
    return this.count;
  }

  /** @returns true when an attempt may begin now; else the job waits. */
  enter(endpointId: string, mostUnderWay: number, job: J): boolean {
    let line = this.lines.get(endpointId);
    if (!line) this.lines.set(endpointId, (line = { underWay: 0, waiting: [] }));
    if (line.underWay < mostUnderWay) {
      line.underWay += 1;
      return true;
    }
    line.waiting.push(job);
    this.count += 1;
    return false;
  }

  /** An attempt has ended. @returns the job that begins in its place. */
  leave(endpointId: string): J | undefined {
    const line = this.lines.get(endpointId);
    if (!line) return undefined;
    const next = line.waiting.shift();
    if (next === undefined) {
      line.underWay -= 1;
      if (line.underWay === 0) this.lines.delete(endpointId);
    } else {
      this.shortened(1);
    }
    return next;
  }

  /** Those that wait for the endpoint wait no more. */
  drop(endpointId: string): J[] {
    const dropped = this.lines.get(endpointId)?.waiting.splice(0) ?? [];
    if (dropped.length > 0) this.shortened(dropped.length);
    return dropped;
  }

  endpoints(): string[] {
    return [...this.lines.keys()];
  }

  /** Resolves when fewer than so many wait, after the time limit at the latest. */
  async shorterThan(limit: number, timeoutMs: number): Promise<void> {
    if (this.count < limit) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(end, timeoutMs);
      const listener = (): void => {
        if (this.count < limit) end();
      };
      this.listeners.push(listener);
      const forget = (): void => void (this.listeners = this.listeners.filter((other) => other !== listener));
      function end(): void {
        clearTimeout(timer);
        forget();
        resolve();
      }
    });
  }

  private shortened(by: number): void {
    this.count -= by;
    for (const listener of this.listeners) listener();
  }
}
