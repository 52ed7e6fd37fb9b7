import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { Recent } from '../metrics/recent';
import { ThreadStore } from '../threads/thread-store';

/** A store of threads that is away keeps nobody from working: what was said waits in its queue. */
@Injectable()
export class ThreadHealth {
  private readonly isWritable: Recent<boolean>;

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly store: ThreadStore,
  ) {
    this.isWritable = new Recent(() => store.probe(), false, { maxAgeMs: 5_000, timeLimitMs: 2_000 });
  }

  /** Nothing where the threads are in the storage, which is asked for itself. */
  async check(): Promise<HealthIndicatorResult> {
    if (this.store.engine === 'storage') return {};
    const indicator = this.indicators.check('threads');
    return (await this.isWritable.get()) ? indicator.up() : indicator.up({ degraded: 'Elasticsearch is away' });
  }
}
