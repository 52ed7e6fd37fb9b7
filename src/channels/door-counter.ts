import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerTally, recordDelta } from '../dispatcher/ledger-delta';
import { Storage } from '../storage/storage';

const FLUSH_MS = 1_000;

/**
 * Counts the requests that the broker confirmed, for the ledger's comparison with the dispatched ones. A row for each request
 * would make the door wait for the storage, so they are counted here and written about once a second; a process that is killed
 * loses its last second of this count, and nothing else.
 */
@Injectable()
export class DoorCounter implements OnApplicationShutdown {
  private readonly logger = new Logger(DoorCounter.name);
  private counts = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> | undefined;

  constructor(private readonly storage: Storage) {}

  confirmed(source: string, requests = 1): void {
    this.counts.set(source, (this.counts.get(source) ?? 0) + requests);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Writes what was counted so far; what cannot be written is kept for the next time. Never throws. */
  async flush(): Promise<void> {
    await this.flushing;
    this.flushing = this.write().finally(() => (this.flushing = undefined));
    await this.flushing;
  }

  /** HTTP is closed by now, so no more are counted; the storage closes later. */
  async onApplicationShutdown(): Promise<void> {
    await this.flush();
    clearTimeout(this.timer);
  }

  private async write(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const counts = this.counts;
    if (counts.size === 0) return;
    this.counts = new Map();
    const tally = new LedgerTally();
    for (const [source, requests] of counts) tally.doorConfirmed(source, requests);
    try {
      await this.storage.transaction((trx) => recordDelta(trx, tally));
    } catch (error) {
      this.logger.debug(`The count of confirmed requests is kept for later: ${String(error)}`);
      for (const [source, requests] of counts) this.confirmed(source, requests);
    }
  }
}
