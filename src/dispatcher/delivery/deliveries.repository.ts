import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import { isId } from '../../core/ids';
import type { AttemptsTable, DeliveriesTable, Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { ofEvents } from '../of-events';

export type DeliveryRow = Selectable<DeliveriesTable>;
export type AttemptRow = AttemptsTable;

/** What a person changes of a delivery. */
export type DeliveryChange = Pick<DeliveryRow, 'status' | 'attempts_before' | 'next_attempt_at' | 'reason' | 'dead_class' | 'settled_at'>;

/** Deliveries and their attempts, as people look at them. */
@Injectable()
export class DeliveriesRepository {
  constructor(private readonly storage: Storage) {}

  /** Null for account: of any. */
  async find(id: string, account: string | null): Promise<DeliveryRow | undefined> {
    if (!isId(id)) return undefined;
    return this.storage.db
      .selectFrom('deliveries')
      .selectAll()
      .where('id', '=', id)
      .$if(account !== null, (select) => select.where('account_id', '=', account as string))
      .executeTakeFirst();
  }

  /** In the order they were made. */
  ofEvent(eventId: string): Promise<DeliveryRow[]> {
    const { db, engine } = this.storage;
    return db
      .selectFrom('deliveries')
      .selectAll()
      .where(ofEvents(engine, [eventId]))
      .orderBy('id')
      .execute();
  }

  /** Each status that deliveries of the events have, once an event. */
  statusesOf(eventIds: readonly string[]): Promise<{ event_id: string; status: string }[]> {
    return this.storage.db
      .selectFrom('deliveries')
      .select(['event_id', 'status'])
      .distinct()
      .where(ofEvents(this.storage.engine, eventIds))
      .execute();
  }

  /** Of each delivery the oldest first. */
  attemptsOf(deliveries: readonly Pick<DeliveryRow, 'id'>[]): Promise<AttemptRow[]> {
    const ids = deliveries.map((delivery) => delivery.id);
    return this.storage.db
      .selectFrom('attempts')
      .selectAll()
      .where(anyOf(this.storage.engine, 'delivery_id', 'uuid', ids))
      .orderBy('delivery_id')
      .orderBy('number')
      .execute();
  }

  /** Changes the delivery if it still is as it was read and nobody works on it. */
  async changeUnleased(trx: Transaction<Schema>, asRead: DeliveryRow, change: DeliveryChange): Promise<boolean> {
    const row = await trx
      .updateTable('deliveries')
      .set(change)
      .where('id', '=', asRead.id)
      .where('status', '=', asRead.status)
      .where('attempt_count', '=', asRead.attempt_count)
      // A sibling that came meanwhile makes another sum of its event.
      .where('fan_out', '=', asRead.fan_out)
      .where('leased_by', 'is', null)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }
}
