import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Metrics } from '../../metrics/metrics.service';
import { Storage } from '../../storage/storage';

const EVERY_MS = 15_000;
/** More are not counted: it is a gauge, and each counts an entry of an index. */
const MAX_COUNT = 100_000;

/** Says how many deliveries are dead now, by class. */
@Injectable()
export class DeadGauge implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly storage: Storage,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.refresh();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** While the storage is away the gauge keeps its last value. */
  private async refresh(): Promise<void> {
    try {
      for (const deadClass of ['receiver', 'pipeline']) this.metrics.deadNow.set({ class: deadClass }, await this.count(deadClass));
    } catch {
      // The next time tells.
    }
    if (!this.isStopped) this.timer = setTimeout(() => void (this.running = this.refresh()), EVERY_MS).unref();
  }

  private async count(deadClass: string): Promise<number> {
    const { db } = this.storage;
    const { count } = await db
      .selectFrom(db.selectFrom('deliveries').select('id').where('dead_class', '=', deadClass).limit(MAX_COUNT).as('dead'))
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }
}
