import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { firstIdAt } from '../core/ids';
import { RegistryService } from '../dispatcher/registry/registry.service';
import { Metrics } from '../metrics/metrics.service';
import { RetentionConfig } from '../retention/retention.config';
import { Chore } from '../storage/chore';
import { Storage } from '../storage/storage';
import { mendBrokenDeliveries } from './orphans/broken-deliveries';
import { type WalkState, walk } from './orphans/id-walk';
import { mendIncompleteEvents } from './orphans/incomplete-events';
import { type LostEnds, mendLostEnds } from './orphans/lost-ends';
import { Repairs } from './repairs';

const DAY_MS = 86_400_000;
const SPEC = { name: 'reconciler', everyMs: 30_000 };

export interface ReconcilerState {
  events?: WalkState;
  deliveries?: WalkState;
  open?: LostEnds;
}

/**
 * Looks for what no transaction of ours leaves behind (a row that was lost or changed by hand, by a restored backup, by a bug) and
 * mends it. Each turn costs a bounded number of rows. Leases of dead processes are freed where leases are kept.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly chore: Chore<ReconcilerState>;

  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    private readonly repairs: Repairs,
    private readonly metrics: Metrics,
    private readonly retention: RetentionConfig,
  ) {
    this.chore = new Chore<ReconcilerState>(storage, SPEC, (state) =>
      this.look(state ?? {}, Date.now()).finally(() => this.repairs.tell()),
    );
  }

  onApplicationBootstrap(): void {
    this.chore.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.chore.stop();
  }

  /** One turn. @returns what to give to the next. */
  async look(before: ReconcilerState, nowMs: number): Promise<ReconcilerState> {
    const { storage, repairs } = this;
    const { db, engine } = storage;
    const registry = await this.registry.ensureLoaded();
    // What is about to expire loses its deliveries before, or after, its event.
    const bounds = { oldest: firstIdAt(nowMs - (this.retention.days - 1) * DAY_MS), nowMs };
    const deliveries = await walk({ db, engine, table: 'deliveries' }, before.deliveries, bounds, (range) =>
      mendBrokenDeliveries(storage, range, nowMs, repairs),
    );
    const events = await walk({ db, engine, table: 'events' }, before.events, bounds, (range) =>
      mendIncompleteEvents(storage, registry, range, repairs),
    );
    const open = await mendLostEnds(storage, before.open, repairs, this.metrics);
    return { deliveries, events, open };
  }
}
