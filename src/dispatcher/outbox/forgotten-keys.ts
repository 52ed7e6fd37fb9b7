import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { isOutage } from '../../core/errors';
import { IdempotencyRepository } from './idempotency.repository';

const EVERY_MS = 600_000;
/** In one statement: short enough for the embedded store to answer others between two. */
const AT_ONCE = 1_000;

/** Deletes Idempotency-Keys whose answer is no longer given. */
@Injectable()
export class ForgottenKeys implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(ForgottenKeys.name);
  private timer: NodeJS.Timeout | undefined;
  private deleting: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(private readonly keys: IdempotencyRepository) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.deleting = this.deleteAll();
    }, EVERY_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.deleting;
  }

  private async deleteAll(): Promise<void> {
    try {
      while (!this.isStopped && (await this.keys.deleteForgotten(Date.now(), AT_ONCE)) === AT_ONCE);
    } catch (error) {
      if (!isOutage(error)) this.logger.error('Old idempotency keys cannot be deleted', (error as Error).stack);
    }
  }
}
