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
    if (next !== undefined) return next;
    line.underWay -= 1;
    if (line.underWay === 0) this.lines.delete(endpointId);
    return undefined;
  }

  /** Those that wait for the endpoint wait no more. */
  drop(endpointId: string): J[] {
    return this.lines.get(endpointId)?.waiting.splice(0) ?? [];
  }

  endpoints(): string[] {
    return [...this.lines.keys()];
  }

  /** How many jobs wait for the endpoint's turn. */
  waitingFor(endpointId: string): number {
    return this.lines.get(endpointId)?.waiting.length ?? 0;
  }
}
