import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '../../metrics/metrics.service';
import { Storage } from '../../storage/storage';
import { Backlog } from './backlog';
import { DeliveryRunner } from './delivery-runner';
import { LEASE_MARGIN_MS, freeAbandonedLeases, freeLeasesOfOtherBoots, renewLeases } from './leases';
import { LiveProcesses } from './limits/live-processes';

/** Keeps the leases: renews our own, frees those of processes that are no more. */
@Injectable()
export class LeaseKeeper {
  private readonly logger = new Logger(LeaseKeeper.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly runner: DeliveryRunner,
    private readonly backlog: Backlog,
    private readonly processes: LiveProcesses,
    private readonly metrics: Metrics,
  ) {}

  /** @param everyMs between two sweeps. */
  async start(everyMs: number): Promise<void> {
    if (this.storage.engine === 'sqlite') this.count(await freeLeasesOfOtherBoots(this.storage));
    this.timer = setInterval(() => void this.sweep(everyMs), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** An outage is passed over: renewing comes first once the storage is back. */
  private async sweep(everyMs: number): Promise<void> {
    try {
      const longRunning = this.runner.inHandSince(Date.now() - everyMs);
      await renewLeases(this.storage, longRunning, LEASE_MARGIN_MS + 2 * everyMs);
      // Others renew theirs first as well.
      if (!this.processes.canJudge) return;
      const freed = await freeAbandonedLeases(this.storage, this.processes.databaseNowMs);
      if (freed === 0) return;
      this.count(freed);
      this.logger.warn(`Freed ${freed} deliveries whose process had left them`);
      this.backlog.dueAt(Date.now());
    } catch (error) {
      this.logger.debug(`Leases cannot be kept: ${(error as Error).message}`);
    }
  }

  private count(freed: number): void {
    if (freed > 0) this.metrics.leasesFreed.inc(freed);
  }
}
