import { Injectable } from '@nestjs/common';
import type { DeliveryStatus } from '../../core/hook-event';
import { firstIdAt } from '../../core/ids';
import type { Page, PageOf } from '../../http/page';
import { Storage } from '../../storage/storage';
import { nthId, pageNewestFirst } from '../newest-first';
import type { DeliveryRow } from './deliveries.repository';
import type { DeadClass } from './retry-policy';

export interface DeliveryQuery {
  /** Null: of any account. */
  account: string | null;
  status: DeliveryStatus | undefined;
  deadClass: DeadClass | undefined;
  endpointId: string | undefined;
  /** Why it is dead or cancelled. */
  reason: string | undefined;
  /** When it was made, milliseconds since 1970: from, and before. */
  sinceMs: number | undefined;
  untilMs: number | undefined;
}

/** The rows are short, and have no index by account: each would cost on every event. */
const BOUNDS = { chunkRows: 5_000, maxRows: 50_000 };

const CLASSES: readonly DeadClass[] = ['receiver', 'pipeline'];

/** Lists of deliveries, newest first. Ids begin with the time that the delivery was made, so times are compared by ids. */
@Injectable()
export class DeliveryList {
  constructor(private readonly storage: Storage) {}

  page(query: DeliveryQuery, page: Page): Promise<PageOf<DeliveryRow>> {
    return query.status === 'dead' ? this.pageOfDead(query, page) : this.pageOfAll(query, page);
  }

  private pageOfAll(query: DeliveryQuery, page: Page): Promise<PageOf<DeliveryRow>> {
    const { account, status, endpointId } = query;
    return pageNewestFirst(page, BOUNDS, {
      nthBelow: (before, n) => nthId(this.inTime(query, before).select('id').orderBy('id', 'desc'), n),
      wanted: (before, from, limit) =>
        this.inTime(query, before, from)
          .selectAll()
          .$if(account !== null, (select) => select.where('account_id', '=', account as string))
          .$if(status !== undefined, (select) => select.where('status', '=', status as string))
          .$if(endpointId !== undefined, (select) => select.where('endpoint_id', '=', endpointId as string))
          .$if(query.reason !== undefined, (select) => select.where('reason', '=', query.reason as string))
          .orderBy('id', 'desc')
          .limit(limit)
          .execute(),
    });
  }

  /** By the indexes of dead deliveries, which hold none of the others. */
  private pageOfDead(query: DeliveryQuery, page: Page): Promise<PageOf<DeliveryRow>> {
    const classes = query.deadClass === undefined ? CLASSES : [query.deadClass];
    return pageNewestFirst(page, BOUNDS, {
      nthBelow: async (before, n) => {
        const ids = await Promise.all(
          classes.map((deadClass) => nthId(this.dead(query, deadClass, before).select('id').orderBy('id', 'desc'), n)),
        );
        // Down to the higher of the two there are n of one class: a longer stride than asked for would pass some over.
        return ids
          .filter((id) => id !== undefined)
          .sort()
          .at(-1);
      },
      wanted: async (before, from, limit) => {
        const rows = await Promise.all(
          classes.map((deadClass) =>
            this.dead(query, deadClass, before, from)
              .selectAll()
              .$if(query.reason !== undefined, (select) => select.where('reason', '=', query.reason as string))
              .orderBy('id', 'desc')
              .limit(limit)
              .execute(),
          ),
        );
        const newestFirst = rows.flat().sort((a, b) => (a.id < b.id ? 1 : -1));
        return newestFirst.slice(0, limit);
      },
    });
  }

  private dead(query: DeliveryQuery, deadClass: DeadClass, before: string | undefined, from?: string) {
    const { account, endpointId } = query;
    return this.inTime(query, before, from)
      .where('dead_class', '=', deadClass)
      .$if(account !== null, (select) => select.where('account_id', '=', account as string))
      .$if(endpointId !== undefined, (select) => select.where('endpoint_id', '=', endpointId as string));
  }

  private inTime({ sinceMs, untilMs }: DeliveryQuery, before: string | undefined, from?: string) {
    return this.storage.db
      .selectFrom('deliveries')
      .$if(before !== undefined, (select) => select.where('id', '<', before as string))
      .$if(from !== undefined, (select) => select.where('id', '>=', from as string))
      .$if(sinceMs !== undefined, (select) => select.where('id', '>=', firstIdAt(sinceMs as number)))
      .$if(untilMs !== undefined, (select) => select.where('id', '<', firstIdAt(untilMs as number)));
  }
}
