import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { isOutage } from '../../core/errors';
import { Storage } from '../../storage/storage';

const INTERVAL_MS = 60_000;

/** Processes' clocks may differ: another one may still sign with a secret that is over by ours. */
const SKEW_MS = 60_000;

/** Forgets secrets that no longer sign beside the new one. */
@Injectable()
export class OldSecrets implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(OldSecrets.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly storage: Storage) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.forget(), INTERVAL_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Never throws: the next round does it. What a process has read of them stays unused, as it knows until when they sign. */
  async forget(): Promise<void> {
    try {
      await this.storage.db
        .updateTable('endpoints')
        .set({ previous_secret: null, previous_secret_until: null })
        .where('previous_secret_until', '<', Date.now() - SKEW_MS)
        .execute();
    } catch (error) {
      if (!isOutage(error)) this.logger.error({ err: error }, 'Old secrets cannot be forgotten');
    }
  }
}
