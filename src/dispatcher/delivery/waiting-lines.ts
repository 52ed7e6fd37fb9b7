interface Line<J> {
  /** Attempts under way. */
  underWay: number;
  waiting: J[];
}

/** How long it is waited for lines to become short. */
export interface Patience {
  stepMs: number;
  leastEnds: number;
  timeoutMs: number;
}

/**
 * Jobs that this process has in hand and that wait for their endpoint's turn, first come, first served. Only endpoints that answer
 * quickly get so many: their next attempts begin at once, without the database, when one has ended.
 */
export class WaitingLines<J> {
  private readonly lines = new Map<string, Line<J>>();
  /** Told of jobs that wait no more. */
  private readonly listeners = new Set<(endpointId: string, count: number) => void>();

  /** @returns true when an attempt may begin now; else the job waits. */
  enter(endpointId: string, mostUnderWay: number, job: J): boolean {
    let line = this.lines.get(endpointId);
    if (!line) this.lines.set(endpointId, (line = { underWay: 0, waiting: [] }));
    if (line.underWay < mostUnderWay) {
      line.underWay += 1;
      return true;
    }
    line.waiting.push(job);
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
      this.shortened(endpointId, 1);
    }
    return next;
  }

  /** Those that wait for the endpoint wait no more. */
  drop(endpointId: string): J[] {
    const dropped = this.lines.get(endpointId)?.waiting.splice(0) ?? [];
    if (dropped.length > 0) this.shortened(endpointId, dropped.length);
    return dropped;
  }

  endpoints(): string[] {
    return [...this.lines.keys()];
  }

  /**
   * Resolves when fewer than `limit` wait for each of these endpoints. Gives up after a step of `stepMs` in which fewer than `leastEnds`
   * of those that wait for the long ones among them had their turn (others' say nothing of these), and after `timeoutMs` in any case.
   */
  async shorterThan(endpointIds: Iterable<string>, limit: number, { stepMs, leastEnds, timeoutMs }: Patience): Promise<void> {
    let long = new Set([...endpointIds].filter((id) => this.isLong(id, limit)));
    for (let waitedMs = 0; waitedMs < timeoutMs && long.size > 0; waitedMs += stepMs) {
      const turns = await this.turnsUntilShort(long, limit, stepMs);
      if (turns < leastEnds) return;
      long = new Set([...long].filter((id) => this.isLong(id, limit)));
    }
  }

  private isLong(endpointId: string, limit: number): boolean {
    return (this.lines.get(endpointId)?.waiting.length ?? 0) >= limit;
  }

  /** @returns how many that wait for these endpoints had their turn by the time when all were short, or the time was over. */
  private async turnsUntilShort(endpointIds: ReadonlySet<string>, limit: number, timeoutMs: number): Promise<number> {
    let turns = 0;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.listeners.delete(listener);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      const listener = (endpointId: string, count: number): void => {
        if (!endpointIds.has(endpointId)) return;
        turns += count;
        if (![...endpointIds].some((id) => this.isLong(id, limit))) end();
      };
      this.listeners.add(listener);
    });
    return turns;
  }

  private shortened(endpointId: string, count: number): void {
    for (const listener of this.listeners) listener(endpointId, count);
  }
}
