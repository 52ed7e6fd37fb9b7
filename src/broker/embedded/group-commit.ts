export interface Write {
  /** Runs inside the transaction. */
  apply(): void;
  /** After the commit, and so after its fsync. */
  committed(): void;
  /** Nothing of it is stored. */
  failed(error: unknown): void;
  /** Roughly what it adds to the transaction. */
  readonly bytes: number;
}

/** One commit never holds up the event loop for long. */
const MAX_WRITES = 1_000;
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Everything that waits when a commit begins shares it, and so one fsync; what comes meanwhile shares the next. Between two
 * commits the event loop has a full turn, in which new requests are read: so groups form under load.
 */
export class GroupCommit {
  private waiting: Write[] = [];
  private bytes = 0;
  private scheduled = false;
  private closed = false;

  /** @param commit Runs what it is given in one durable transaction; throws when nothing of it was stored. */
  constructor(private readonly commit: (work: () => void) => void) {}

  get waitingBytes(): number {
    return this.bytes;
  }

  add(write: Write): void {
    this.waiting.push(write);
    this.bytes += write.bytes;
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Commits all that waits; nothing is committed in turns of its own any more. */
  close(): void {
    this.closed = true;
    while (this.waiting.length > 0) this.flush();
  }

  private flush(): void {
    const group = this.next();
    if (group.length === 0) return;
    try {
      this.commit(() => {
        for (const write of group) write.apply();
      });
    } catch (error) {
      for (const write of group) write.failed(error);
      return this.again();
    }
    for (const write of group) write.committed();
    this.again();
  }

  private again(): void {
    if (this.waiting.length === 0 || this.scheduled || this.closed) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private next(): Write[] {
    let count = 0;
    let bytes = 0;
    for (const write of this.waiting) {
      if (count > 0 && (count >= MAX_WRITES || bytes + write.bytes > MAX_BYTES)) break;
      count += 1;
      bytes += write.bytes;
    }
    const group = this.waiting.slice(0, count);
    this.waiting = count === this.waiting.length ? [] : this.waiting.slice(count);
    this.bytes -= bytes;
    return group;
  }
}
