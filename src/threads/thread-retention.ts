import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { Chore } from '../storage/chore';
import { Storage } from '../storage/storage';
import { ThreadStore } from './thread-store';
import { ThreadsConfig } from './threads.config';

const DAY_MS = 86_400_000;
const SPEC = { name: 'threads-retention', everyMs: 600_000 };
/** Of one turn; what is left then is for the next. */
const TURN_MS = 60_000;
/** Between two slices, for others. */
const PAUSE_MS = 20;

/** Deletes what was said long enough ago, in slices. */
@Injectable()
export class ThreadRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly chore: Chore<null>;

  constructor(
    storage: Storage,
    private readonly store: ThreadStore,
    private readonly config: ThreadsConfig,
  ) {
    this.chore = new Chore<null>(storage, SPEC, (_state, isStopped) => this.expire(Date.now(), isStopped));
  }

  onApplicationBootstrap(): void {
    this.chore.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.chore.stop();
  }

  /** One turn. */
  async expire(nowMs: number, isStopped: () => boolean = () => false): Promise<null> {
    const endMs = performance.now() + TURN_MS;
    while (await this.store.expire(nowMs - this.config.retentionDays * DAY_MS)) {
      if (isStopped() || performance.now() > endMs) break;
      await delay(PAUSE_MS);
    }
    return null;
  }
}
