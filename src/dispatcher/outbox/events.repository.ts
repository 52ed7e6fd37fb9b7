import { Injectable } from '@nestjs/common';
import { type Expression, type SqlBool, sql } from 'kysely';
import { firstIdAt, isId } from '../../core/ids';
import type { Page, PageOf } from '../../http/page';
import type { EventsTable } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { nthId, pageNewestFirst } from '../newest-first';

/** What lists show of an event. */
const COLUMNS = [
  'id',
  'account_id',
  'source',
  'application',
  'event_type',
  'level',
  'timestamp',
  'received_at',
  'request_id',
  'fan_out',
  'filtered_reason',
] as const;

export type EventSummaryRow = Pick<EventsTable, (typeof COLUMNS)[number]>;

export interface EventQuery {
  /** Null: of any account. */
  account: string | null;
  application: string | undefined;
  eventType: string | undefined;
  /** Anywhere in id, application, event type or the beginning of the data. */
  text: string | undefined;
  /** When it was stored, milliseconds since 1970; from, and before. */
  sinceMs: number | undefined;
  untilMs: number | undefined;
}

/** How much of an event's data a search looks at, in bytes. */
export const SEARCHED_BYTES = 65_536;

/** A search reads payloads and so looks at fewer events. */
const BOUNDS = { plain: { chunkRows: 2_000, maxRows: 20_000 }, search: { chunkRows: 100, maxRows: 2_000 } };

export const MAX_SEARCHED_EVENTS = BOUNDS.search.maxRows;

@Injectable()
export class EventsRepository {
  constructor(private readonly storage: Storage) {}

  /** Newest first. Ids begin with the time that the event was stored, so times are compared by ids. */
  page(query: EventQuery, page: Page): Promise<PageOf<EventSummaryRow>> {
    const { db } = this.storage;
    const { account, application, eventType, text } = query;
    const first = query.sinceMs === undefined ? undefined : firstIdAt(query.sinceMs);
    const end = query.untilMs === undefined ? undefined : firstIdAt(query.untilMs);
    const ofRange = (before: string | undefined) =>
      db
        .selectFrom('events')
        .$if(account !== null, (select) => select.where('account_id', '=', account as string))
        .$if(before !== undefined, (select) => select.where('id', '<', before as string))
        .$if(end !== undefined, (select) => select.where('id', '<', end as string))
        .$if(first !== undefined, (select) => select.where('id', '>=', first as string));
    return pageNewestFirst(page, text === undefined ? BOUNDS.plain : BOUNDS.search, {
      nthBelow: (before, n) => nthId(ofRange(before).select('id').orderBy('id', 'desc'), n),
      wanted: (before, from, limit) =>
        ofRange(before)
          .select(COLUMNS)
          .$if(from !== undefined, (select) => select.where('id', '>=', from as string))
          .$if(application !== undefined, (select) => select.where('application', '=', application as string))
          .$if(eventType !== undefined, (select) => select.where('event_type', '=', eventType as string))
          .$if(text !== undefined, (select) => select.where(this.holds(text as string)))
          .orderBy('id', 'desc')
          .limit(limit)
          .execute(),
    });
  }

  /** Null for account: of any. */
  async find(id: string, account: string | null): Promise<EventsTable | undefined> {
    if (!isId(id)) return undefined;
    return this.storage.db
      .selectFrom('events')
      .selectAll()
      .where('id', '=', id)
      .$if(account !== null, (select) => select.where('account_id', '=', account as string))
      .executeTakeFirst();
  }

  private holds(text: string): Expression<SqlBool> {
    const bytes = Buffer.from(text);
    const most = sql.lit(SEARCHED_BYTES);
    if (this.storage.engine === 'postgres') {
      const data = sql`case when data is null
        then substr(body, data_start + 1, least(data_end - data_start, ${most})) else substr(data, 1, ${most}) end`;
      return sql<SqlBool>`(position(${text}::text in id::text) > 0 or position(${text}::text in application) > 0
        or position(${text}::text in event_type) > 0 or position(${bytes}::bytea in ${data}) > 0)`;
    }
    const data = sql`case when data is null
      then substr(body, data_start + 1, min(data_end - data_start, ${most})) else substr(data, 1, ${most}) end`;
    return sql<SqlBool>`(instr(id, ${text}) > 0 or instr(application, ${text}) > 0 or instr(event_type, ${text}) > 0
      or instr(${data}, ${bytes}) > 0)`;
  }
}
