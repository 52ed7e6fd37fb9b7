import { Injectable } from '@nestjs/common';
import { Broker } from '../broker/broker';
import { QUEUES, deadQueueOf } from '../broker/topology';
import { doorOf } from '../core/ledger-source';
import { openEndpoints } from '../dispatcher/delivery/due-deliveries';
import { RegistryService } from '../dispatcher/registry/registry.service';
import { readBalance } from '../ledger/ledger-check.service';
import { Metrics } from '../metrics/metrics.service';
import { Recent } from '../metrics/recent';
import { Storage } from '../storage/storage';

const LIMITS = { maxAgeMs: 2_000, timeLimitMs: 1_500 };
const WATCHED = QUEUES.flatMap((queue) => [queue, deadQueueOf(queue)]);

/** Since when the delivery that has been due the longest has been so, in milliseconds since 1970; Infinity when there is none. */
interface DueSince {
  owed: number;
  frozen: number;
}

/** Gauges that are asked for at each scrape. What cannot be known in time is left out; a scrape never hangs. */
@Injectable()
export class Gauges {
  private readonly depths = new Recent(() => this.askDepths(), new Map<string, number>(), LIMITS);
  private readonly dueSince = new Recent<DueSince | undefined>(() => this.askDueSince(), undefined, LIMITS);
  private readonly imbalance = new Recent(() => this.askImbalance(), new Map<string, boolean>(), LIMITS);

  constructor(
    private readonly broker: Broker,
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    private readonly metrics: Metrics,
  ) {}

  async refresh(): Promise<void> {
    const { queueDepth, ledgerImbalance, oldestUndeliveredSeconds, oldestFrozenSeconds } = this.metrics;
    const [depths, dueSince, imbalance] = await Promise.all([this.depths.get(), this.dueSince.get(), this.imbalance.get()]);
    queueDepth.reset();
    for (const [queue, messages] of depths) queueDepth.set({ queue }, messages);
    ledgerImbalance.reset();
    for (const [source, isOut] of imbalance) ledgerImbalance.inc({ source: doorOf(source) }, isOut ? 1 : 0);
    oldestUndeliveredSeconds.remove();
    oldestFrozenSeconds.remove();
    if (dueSince === undefined) return;
    const nowMs = Date.now();
    oldestUndeliveredSeconds.set(Math.max(0, nowMs - dueSince.owed) / 1_000);
    oldestFrozenSeconds.set(Math.max(0, nowMs - dueSince.frozen) / 1_000);
  }

  private async askDepths(): Promise<Map<string, number>> {
    if (!this.broker.status().ready) return new Map();
    const depths = await Promise.all(WATCHED.map((queue) => this.broker.depth(queue)));
    return new Map(WATCHED.map((queue, index) => [queue, depths[index]?.messages ?? 0]));
  }

  /** Costs by the number of endpoints that have open deliveries, and of deliveries in hand; not of those that wait. */
  private async askDueSince(): Promise<DueSince> {
    const snapshot = await this.registry.ensureLoaded();
    const [waiting, inHand] = await Promise.all([openEndpoints(this.storage), this.inHandSince()]);
    const dueSince = { owed: inHand, frozen: Infinity };
    for (const { endpointId, firstDueAt } of waiting) {
      const kind = snapshot.endpoint(endpointId)?.enabled === false ? 'frozen' : 'owed';
      dueSince[kind] = Math.min(dueSince[kind], firstDueAt);
    }
    return dueSince;
  }

  /** When the first of the deliveries that some process works on was due: one that hangs must not hide by its lease. */
  private async inHandSince(): Promise<number> {
    const row = await this.storage.db
      .selectFrom('deliveries')
      .select((eb) => eb.fn.min('next_attempt_at').as('at'))
      .where('lease_until', 'is not', null)
      .executeTakeFirst();
    return row?.at ?? Infinity;
  }

  private async askImbalance(): Promise<Map<string, boolean>> {
    const balance = await readBalance(this.storage);
    return new Map(balance?.sources.map((source) => [source, balance.alarmed.includes(source)]));
  }
}
