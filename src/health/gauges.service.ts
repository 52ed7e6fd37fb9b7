import { Injectable } from '@nestjs/common';
import { Broker } from '../broker/broker';
import { QUEUES, deadQueueOf } from '../broker/topology';
import { Metrics } from '../metrics/metrics.service';
import { Recent } from '../metrics/recent';
import { Storage } from '../storage/storage';

const LIMITS = { maxAgeMs: 2_000, timeLimitMs: 1_500 };
const WATCHED = QUEUES.flatMap((queue) => [queue, deadQueueOf(queue)]);

/** Gauges that are asked for at each scrape. What cannot be known in time is left out; a scrape never hangs. */
@Injectable()
export class Gauges {
  private readonly depths: Recent<Map<string, number>>;
  private readonly oldestOpenAt: Recent<number | null | undefined>;

  constructor(
    private readonly broker: Broker,
    private readonly storage: Storage,
    private readonly metrics: Metrics,
  ) {
    this.depths = new Recent(() => this.askDepths(), new Map<string, number>(), LIMITS);
    this.oldestOpenAt = new Recent(() => this.askOldest(), undefined, LIMITS);
  }

  async refresh(): Promise<void> {
    const [depths, oldestAt] = await Promise.all([this.depths.get(), this.oldestOpenAt.get()]);
    this.metrics.queueDepth.reset();
    for (const [queue, messages] of depths) this.metrics.queueDepth.set({ queue }, messages);
    this.metrics.oldestUndeliveredSeconds.reset();
    if (oldestAt === undefined) this.metrics.oldestUndeliveredSeconds.remove();
    else this.metrics.oldestUndeliveredSeconds.set(oldestAt === null ? 0 : Math.max(0, Date.now() - oldestAt) / 1_000);
  }

  private async askDepths(): Promise<Map<string, number>> {
    if (!this.broker.status().ready) return new Map();
    const depths = await Promise.all(WATCHED.map((queue) => this.broker.depth(queue)));
    return new Map(WATCHED.map((queue, index) => [queue, depths[index]?.messages ?? 0]));
  }

  private async askOldest(): Promise<number | null> {
    const { db } = this.storage;
    const oldest = db.selectFrom('deliveries').select((eb) => eb.fn.min('created_at').as('at'));
    // Each by an index of its own; those that are leased are few.
    const [waiting, leased] = await Promise.all([
      oldest.where('leased_by', 'is', null).where('next_attempt_at', 'is not', null).executeTakeFirst(),
      oldest.where('lease_until', 'is not', null).executeTakeFirst(),
    ]);
    const times = [waiting?.at, leased?.at].filter((at) => typeof at === 'number');
    return times.length === 0 ? null : Math.min(...times);
  }
}
