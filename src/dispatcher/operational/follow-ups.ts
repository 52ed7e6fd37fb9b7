import { Injectable } from '@nestjs/common';
import { type Transaction, sql } from 'kysely';
import { newId } from '../../core/ids';
import type { Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { type EventRow, type StoredEvent, fromEventRow } from '../stored-event';
import { OperationalEvents } from './operational-events';

/** A delivery that is settled for good. */
export interface SettledDelivery {
  status: 'delivered' | 'dead' | 'cancelled';
  /** In milliseconds since 1970. */
  at: number;
  event: StoredEvent;
}

/** The event that a settled delivery brings about; of the account of the delivered one, and at the time when it was settled. */
export type Following = Pick<StoredEvent, 'source' | 'application' | 'eventType' | 'to'> & { data: Record<string, unknown> };

/** Undefined: nothing follows. Never throws. */
export type FollowUp = (settled: SettledDelivery) => Following | undefined;

/**
 * What follows from deliveries to some endpoints once they are settled for good: an event that tells of it, stored in the transaction that
 * settles them. So each time one is settled it is told once.
 */
@Injectable()
export class FollowUps {
  private readonly byEndpoint = new Map<string, FollowUp>();

  constructor(
    private readonly storage: Storage,
    private readonly events: OperationalEvents,
  ) {}

  register(endpointId: string, followUp: FollowUp): void {
    this.byEndpoint.set(endpointId, followUp);
  }

  /** Whether anything follows from deliveries to the endpoint. */
  concern(endpointId: string): boolean {
    return this.byEndpoint.has(endpointId);
  }

  /** @param deliveryIds those whose status this transaction has changed. */
  async book(trx: Transaction<Schema>, deliveryIds: readonly string[]): Promise<void> {
    if (this.byEndpoint.size === 0 || deliveryIds.length === 0) return;
    const { engine } = this.storage;
    const { rows } = await sql<EventRow & { endpoint_id: string; status: SettledDelivery['status']; settled_at: number }>`
      select e.id, e.account_id, e.source, e.application, e.event_type, e.level, e.timestamp, e.received_at, e.request_id, e.context, e.body,
        e.content_type, e.data, e.data_start, e.data_end, d.endpoint_id, d.status, d.settled_at
      from deliveries d join events e on e.id = d.event_id
      where ${anyOf(engine, 'd.id', 'uuid', deliveryIds)} and ${anyOf(engine, 'd.endpoint_id', 'uuid', [...this.byEndpoint.keys()])}
        and d.settled_at is not null
      order by d.id`.execute(trx);
    const following = rows.flatMap(({ endpoint_id: endpointId, status, settled_at: at, ...row }) => {
      const event = fromEventRow(row);
      const next = this.byEndpoint.get(endpointId)?.({ status, at, event });
      return next ? [storedOf(next, event, at)] : [];
    });
    await this.events.store(trx, following);
  }
}

function storedOf({ data, ...of }: Following, { accountId }: StoredEvent, atMs: number): StoredEvent {
  const id = newId();
  const json = Buffer.from(JSON.stringify(data));
  return {
    ...of,
    id,
    accountId,
    level: null,
    timestamp: new Date(atMs).toISOString(),
    receivedAt: atMs,
    requestId: id,
    context: null,
    data: json,
    body: json,
    contentType: 'application/json',
  };
}
