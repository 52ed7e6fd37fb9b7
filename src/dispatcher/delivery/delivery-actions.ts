import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../core/errors';
import type { DeliveryStatus } from '../../core/hook-event';
import { Metrics } from '../../metrics/metrics.service';
import { Storage } from '../../storage/storage';
import { changeDeliveries } from '../ledger-delta';
import { FollowUps } from '../operational/follow-ups';
import { RegistryService } from '../registry/registry.service';
import { Backlog } from './backlog';
import { DeliveriesRepository, type DeliveryChange, type DeliveryRow } from './deliveries.repository';

const OPEN: ReadonlySet<string> = new Set(['pending', 'waiting']);

/** What people do with a delivery. An account of null means any: an admin key asks. */
@Injectable()
export class DeliveryActions {
  constructor(
    private readonly storage: Storage,
    private readonly deliveries: DeliveriesRepository,
    private readonly registry: RegistryService,
    private readonly metrics: Metrics,
    private readonly backlog: Backlog,
    private readonly followUps: FollowUps,
  ) {}

  /**
   * Makes it due now, whatever became of it: one that is dead or cancelled is tried again, and one that was delivered is sent once
   * more, with the same webhook-id; each with its schedule from the beginning. To a disabled endpoint it goes when that is enabled.
   * @throws GatewayError `not_found`, `conflict`.
   */
  async retry(id: string, account: string | null): Promise<DeliveryRow> {
    const delivery = await this.present(id, account);
    const endpoint = (await this.registry.ensureLoaded()).endpoint(delivery.endpoint_id);
    if (!endpoint) throw new GatewayError('conflict', 'Its endpoint has been deleted');
    // It would be cancelled again at once.
    if (endpoint.disabledReason === 'endpoint_gone') throw new GatewayError('conflict', 'Its endpoint is gone; enable that first');
    const retried = await this.change(delivery, {
      status: delivery.attempt_count === 0 ? 'pending' : 'waiting',
      attempts_before: OPEN.has(delivery.status) ? delivery.attempts_before : delivery.attempt_count,
      next_attempt_at: Date.now(),
      reason: null,
      dead_class: null,
      settled_at: null,
    });
    this.backlog.dueAt(Date.now());
    return retried;
  }

  /** @throws GatewayError `not_found`, `conflict` for one that is settled. */
  async cancel(id: string, account: string | null): Promise<DeliveryRow> {
    const delivery = await this.present(id, account);
    if (delivery.status === 'cancelled') return delivery;
    if (!OPEN.has(delivery.status)) throw new GatewayError('conflict', `It is ${delivery.status} already`);
    const now = Date.now();
    const { attempts_before } = delivery;
    const change = { status: 'cancelled', attempts_before, next_attempt_at: null, reason: 'manual', dead_class: null, settled_at: now };
    const cancelled = await this.change(delivery, change);
    this.metrics.cancelled.inc();
    return cancelled;
  }

  private async present(id: string, account: string | null): Promise<DeliveryRow> {
    const delivery = await this.deliveries.find(id, account);
    if (!delivery) throw noSuchDelivery(id);
    if (delivery.leased_by !== null) throw new GatewayError('conflict', 'An attempt is under way; ask again when it has ended');
    return delivery;
  }

  private async change(delivery: DeliveryRow, change: DeliveryChange): Promise<DeliveryRow> {
    const ref = { id: delivery.id, eventId: delivery.event_id, source: delivery.source, fanOut: delivery.fan_out };
    await this.storage.transaction(async (trx) => {
      await changeDeliveries(this.storage, trx, [ref], async () => {
        if (!(await this.deliveries.changeUnleased(trx, delivery, change))) {
          throw new GatewayError('conflict', 'It was changed or attempted this very moment; look at it again');
        }
        return [{ delivery: ref, from: delivery.status as DeliveryStatus, to: change.status as DeliveryStatus }];
      });
      await this.followUps.book(trx, [delivery.id]);
    });
    return { ...delivery, ...change };
  }
}

export const noSuchDelivery = (id: string): GatewayError => new GatewayError('not_found', `There is no delivery ${id.slice(0, 64)}`);
