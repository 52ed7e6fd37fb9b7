const LARGEST_BODY_BYTES = 3 * 1024 * 1024;
const FEWEST = 4;
/** Weight of one message in the running mean. */
const SHARE = 1 / 64;

/**
 * How many messages the broker may send ahead. It counts messages where memory counts bytes: so begin with what fits if all
 * are as large as can be, and take more once the messages seen are small. A size that jumps shrinks it as fast.
 */
export class Prefetch {
  current: number;
  private readonly fewest: number;
  private meanBytes = LARGEST_BODY_BYTES;
  private seen = 0;

  constructor(
    private readonly budgetBytes: number,
    private readonly most: number,
  ) {
    this.fewest = Math.min(most, Math.max(FEWEST, Math.floor(budgetBytes / LARGEST_BODY_BYTES)));
    this.current = this.fewest;
  }

  /** @returns True when it is worth subscribing again with another number, which `current` then is. */
  observe(bytes: number): boolean {
    this.meanBytes = this.seen === 0 ? bytes : this.meanBytes + (bytes - this.meanBytes) * SHARE;
    this.seen += 1;
    if (this.seen % this.current !== 0) return false;
    // Twice the mean: half of the budget stays free for messages larger than the usual.
    const fitting = Math.floor(this.budgetBytes / (2 * Math.max(1, this.meanBytes)));
    const wanted = Math.min(this.most, Math.max(this.fewest, fitting));
    if (wanted < this.current * 2 && wanted * 2 > this.current) return false;
    this.current = wanted;
    return true;
  }

  /** More came than the budget allows: start anew. */
  restart(): void {
    this.current = this.fewest;
    this.meanBytes = LARGEST_BODY_BYTES;
    this.seen = 1;
  }
}
