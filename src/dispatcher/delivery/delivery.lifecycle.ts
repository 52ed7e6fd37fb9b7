import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Storage } from '../../storage/storage';
import { Backlog } from './backlog';
import { DeliveryRunner } from './delivery-runner';
import { DeliveryConfig } from './delivery.config';
import { LEASE_MARGIN_MS, freeExpiredLeases, freeLeasesOfOtherBoots, renewLeases } from './leases';
import { Puller } from './puller';

/** Starts and ends the pulling, and keeps the leases: renews our own, frees those of processes that are no more. */
@Injectable()
export class DeliveryLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DeliveryLifecycle.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly runner: DeliveryRunner,
    private readonly puller: Puller,
    private readonly backlog: Backlog,
    private readonly config: DeliveryConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.engine === 'sqlite') await freeLeasesOfOtherBoots(this.storage);
    this.puller.start();
    this.timer = setInterval(() => void this.sweep(), this.config.sweepIntervalMs);
  }

  /** Who brings new deliveries has stopped by now. Leases are kept while attempts are waited for. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.puller.stop();
    await this.runner.drain(this.config.drainMs);
    clearInterval(this.timer);
  }

  /** An outage is passed over: renewing comes first once the storage is back. */
  private async sweep(): Promise<void> {
    try {
      const nowMs = Date.now();
      const longRunning = this.runner.inHandSince(nowMs - this.config.sweepIntervalMs);
      await renewLeases(this.storage, longRunning, nowMs + LEASE_MARGIN_MS + 2 * this.config.sweepIntervalMs);
      const freed = await freeExpiredLeases(this.storage, nowMs);
      if (freed === 0) return;
      this.logger.warn(`Freed ${freed} deliveries whose process had left them`);
      this.backlog.dueAt(nowMs);
    } catch (error) {
      this.logger.debug(`Leases cannot be kept: ${(error as Error).message}`);
    }
  }
}
