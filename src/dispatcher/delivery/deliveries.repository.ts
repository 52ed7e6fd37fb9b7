import { Injectable } from '@nestjs/common';
import type { Selectable, Transaction } from 'kysely';
import type { DeliveryStatus } from '../../core/hook-event';
import { firstIdAt, isId } from '../../core/ids';
import type { Page, PageOf } from '../../http/page';
import type { AttemptsTable, DeliveriesTable, Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { pageNewestFirst } from '../newest-first';
import { ofEvents } from '../of-events';

export type DeliveryRow = Selectable<DeliveriesTable>;
export type AttemptRow = AttemptsTable;

export interface DeliveryQuery {
  /** Null: of any account. */
  account: string | null;
  status: DeliveryStatus | undefined;
  endpointId: string | undefined;
  /** When it was made, milliseconds since 1970. */
  sinceMs: number | undefined;
}

/** The rows are short, and have no index by account: each would cost on every event. */
const BOUNDS = { chunkRows: 5_000, maxRows: 50_000 };

/** What a person changes of a delivery. */
export type DeliveryChange = Pick<DeliveryRow, 'status' | 'attempts_before' | 'next_attempt_at' | 'reason' | 'dead_class' | 'settled_at'>;

/** Deliveries and their attempts, as people look at them. */
@Injectable()
export class DeliveriesRepository {
  constructor(private readonly storage: Storage) {}

  /** Newest first. Ids begin with the time that the delivery was made, so times are compared by ids. */
  page(query: DeliveryQuery, page: Page): Promise<PageOf<DeliveryRow>> {
    const { db } = this.storage;
    const { account, status, endpointId } = query;
    const first = query.sinceMs === undefined ? undefined : firstIdAt(query.sinceMs);
    const ofRange = (before: string | undefined) =>
      db
        .selectFrom('deliveries')
        .$if(before !== undefined, (select) => select.where('id', '<', before as string))
        .$if(first !== undefined, (select) => select.where('id', '>=', first as string));
    return pageNewestFirst(page, BOUNDS, {
      nthBelow: async (before, n) => {
        const row = await ofRange(before)
          .select('id')
          .orderBy('id', 'desc')
          .limit(1)
          .offset(n - 1)
          .executeTakeFirst();
        return row?.id;
      },
      wanted: (before, from, limit) =>
        ofRange(before)
          .selectAll()
          .$if(from !== undefined, (select) => select.where('id', '>=', from as string))
          .$if(account !== null, (select) => select.where('account_id', '=', account as string))
          .$if(status !== undefined, (select) => select.where('status', '=', status as string))
          .$if(endpointId !== undefined, (select) => select.where('endpoint_id', '=', endpointId as string))
          .orderBy('id', 'desc')
          .limit(limit)
          .execute(),
    });
  }

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
