export interface OutageWaits {
  /** Wait before the first question whether it is back. */
  firstMs: number;
  /** The wait doubles up to this. */
  maxMs: number;
  /** How long messages may be held in memory; then `onHeldTooLong` is called. */
  holdLimitMs: number;
}

/**
 * Closed while something that handling needs is away. The wait keeps growing until a group has gone through, so that a
 * probe that says yes while the work still fails does not turn into a busy loop.
 */
export class OutageGate {
  private closing: { promise: Promise<void>; open: () => void } | undefined;
  private probeTimer: NodeJS.Timeout | undefined;
  private holdTimer: NodeJS.Timeout | undefined;
  private waitMs: number;

  constructor(
    private readonly isAvailable: () => Promise<boolean>,
    private readonly waits: OutageWaits,
    private readonly onHeldTooLong: () => void,
  ) {
    this.waitMs = waits.firstMs;
  }

  get closed(): boolean {
    return this.closing !== undefined;
  }

  /** Closes the gate. Resolves when it opens again. */
  close(): Promise<void> {
    if (this.closing === undefined) {
      let open = (): void => undefined;
      const promise = new Promise<void>((resolve) => (open = resolve));
      this.closing = { promise, open };
      this.probeLater();
      if (Number.isFinite(this.waits.holdLimitMs)) this.holdTimer = setTimeout(this.onHeldTooLong, this.waits.holdLimitMs);
    }
    return this.closing.promise;
  }

  /** A group went through: the next outage starts with the short wait again. */
  succeeded(): void {
    this.waitMs = this.waits.firstMs;
  }

  /** Opens without asking any more. */
  end(): void {
    clearTimeout(this.probeTimer);
    clearTimeout(this.holdTimer);
    const { closing } = this;
    this.closing = undefined;
    closing?.open();
  }

  private probeLater(): void {
    this.probeTimer = setTimeout(() => void this.probe(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, this.waits.maxMs);
  }

  private async probe(): Promise<void> {
    const asked = this.closing;
    const available = await this.isAvailable().catch(() => false);
    if (this.closing !== asked || asked === undefined) return;
    if (available) this.end();
    else this.probeLater();
  }
}
