/** How long a request waits for the storage at most. */
const LIMIT_MS = 2_000;
/** While it is away, one request in so long tries it. */
const PROBE_MS = 1_000;

/** Keeps requests from waiting, one after the other, for a storage that is away. */
export class StorageWatch {
  private untilMs = 0;
  private away = false;

  /** @param onChange Called with the error when the storage is found away, with undefined when it is back. */
  constructor(private readonly onChange: (away: { error: unknown } | undefined) => void) {}

  /** @returns undefined when there was no answer, or none in time; never throws. */
  async ask<T>(work: () => Promise<T>): Promise<{ answer: T } | undefined> {
    if (this.away) {
      if (performance.now() < this.untilMs) return undefined;
      this.untilMs = performance.now() + PROBE_MS;
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`No answer within ${String(LIMIT_MS)} ms`)), LIMIT_MS);
    });
    try {
      const answer = await Promise.race([work(), late]);
      this.is(undefined);
      return { answer };
    } catch (error) {
      this.untilMs = performance.now() + PROBE_MS;
      this.is({ error });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  private is(away: { error: unknown } | undefined): void {
    if (this.away === (away !== undefined)) return;
    this.away = away !== undefined;
    this.onChange(away);
  }
}
