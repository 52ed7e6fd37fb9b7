import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DeliveryRunner } from './delivery-runner';
import { DeliveryConfig } from './delivery.config';
import { LeaseKeeper } from './lease-keeper';
import { LiveProcesses } from './limits/live-processes';
import { Puller } from './puller';

/** The order in which delivering begins and ends. */
@Injectable()
export class DeliveryLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly processes: LiveProcesses,
    private readonly leases: LeaseKeeper,
    private readonly puller: Puller,
    private readonly runner: DeliveryRunner,
    private readonly config: DeliveryConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.processes.start();
    await this.leases.start(this.config.sweepIntervalMs);
    this.puller.start();
  }

  /**
   * Who brings new deliveries has stopped by now. What belongs to this process goes to others at once; its leases are kept while
   * attempts are waited for.
   */
  async beforeApplicationShutdown(): Promise<void> {
    await this.puller.stop();
    await this.processes.leave();
    await this.runner.drain(this.config.drainMs);
    this.leases.stop();
    await this.processes.stop();
  }
}
