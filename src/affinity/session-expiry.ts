import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.service';
import { Chore } from '../storage/chore';
import { Storage } from '../storage/storage';
import { AffinityConfig } from './affinity.config';
import { SessionRows } from './session-rows';

const SPEC = { name: 'affinity-sessions', everyMs: 60_000 };
const ROWS_AT_ONCE = { sqlite: 500, postgres: 5_000 } as const;

/** Deletes sessions whose time is over. */
@Injectable()
export class SessionExpiry implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly chore: Chore<null>;

  constructor(
    private readonly storage: Storage,
    private readonly rows: SessionRows,
    private readonly config: AffinityConfig,
    private readonly metrics: Metrics,
  ) {
    this.chore = new Chore<null>(storage, SPEC, async (_state, isStopped) => {
      await this.expire(Date.now(), isStopped);
      return null;
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.enabled) this.chore.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.chore.stop();
  }

  async expire(nowMs: number, isStopped: () => boolean = () => false): Promise<void> {
    const limit = ROWS_AT_ONCE[this.storage.engine];
    for (let deleted: number = limit; deleted === limit && !isStopped();) {
      deleted = await this.rows.deleteExpired(nowMs, limit);
      if (deleted > 0) this.metrics.expired.inc({ table: 'affinity_sessions' }, deleted);
    }
  }
}
