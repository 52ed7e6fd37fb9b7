import { GatewayError, isOutage } from '../core/errors';

export interface WriteBatcherOptions<T, R> {
  /** Most items in one group. */
  maxCount: number;
  /** Most groups under way at once; what comes meanwhile waits and makes the next groups larger. */
  maxInFlight: number;
  /** Most bytes in one group, by `sizeOf`; an item that is larger goes alone. */
  maxBytes?: number;
  sizeOf?: (item: T) => number;
  /** Writes a group, all or nothing, and gives one result for each item in their order. */
  write: (items: readonly T[]) => Promise<readonly R[]>;
}

interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/**
 * Makes groups of what many callers write, so that they share one commit. There is no delay: what was added in one turn of the
 * event loop leaves together as soon as a group may start. When a group fails for a reason other than an outage, each of its
 * items is written alone, so that only the callers whose items are to blame see the error. An outage is everybody's: those who wait
 * for their turn are told at once, and not after a second time limit.
 */
export class WriteBatcher<T, R> {
  private readonly waiting: Waiting<T, R>[] = [];
  /** Where in `waiting` the next group begins; cut off in one go, since `shift` moves what is left. */
  private head = 0;
  private inFlight = 0;
  private scheduled = false;
  private drained: (() => void)[] = [];

  constructor(private readonly options: WriteBatcherOptions<T, R>) {}

  /** Resolves with the item's result once its group is written. */
  add(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  /** Items that are not written yet. */
  get pending(): number {
    return this.waiting.length - this.head;
  }

  /** Resolves when everything that was added is written or failed. */
  async drain(): Promise<void> {
    if (this.pending === 0 && this.inFlight === 0) return;
    await new Promise<void>((resolve) => this.drained.push(resolve));
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.options.maxInFlight) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.startGroups();
    });
  }

  private startGroups(): void {
    while (this.pending > 0 && this.inFlight < this.options.maxInFlight) {
      this.inFlight++;
      void this.writeGroup(this.takeGroup()).finally(() => {
        this.inFlight--;
        if (this.pending > 0) this.schedule();
        else if (this.inFlight === 0) for (const resolve of this.drained.splice(0)) resolve();
      });
    }
  }

  private takeGroup(): Waiting<T, R>[] {
    const { maxCount, maxBytes = Infinity, sizeOf } = this.options;
    let end = this.head;
    let bytes = 0;
    while (end < this.waiting.length && end - this.head < maxCount) {
      bytes += sizeOf?.((this.waiting[end] as Waiting<T, R>).item) ?? 0;
      if (bytes > maxBytes && end > this.head) break;
      end++;
    }
    const group = this.waiting.slice(this.head, end);
    this.head = end;
    if (this.head === this.waiting.length || this.head > 1_000) {
      this.waiting.splice(0, this.head);
      this.head = 0;
    }
    return group;
  }

  private takeAll(): Waiting<T, R>[] {
    const all = this.waiting.slice(this.head);
    this.waiting.length = 0;
    this.head = 0;
    return all;
  }

  /** Never throws: every error goes to callers. */
  private async writeGroup(group: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.options.write(group.map(({ item }) => item));
      if (results.length !== group.length) throw new GatewayError('internal_error', 'A group has another number of results than items');
      group.forEach(({ resolve }, index) => resolve(results[index] as R));
    } catch (error) {
      if (isOutage(error)) [...group, ...this.takeAll()].forEach(({ reject }) => reject(error));
      else if (group.length === 1) group[0]?.reject(error);
      else for (const waiting of group) await this.writeGroup([waiting]);
    }
  }
}
