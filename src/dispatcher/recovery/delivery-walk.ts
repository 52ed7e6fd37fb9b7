import { type SqlBool, sql } from 'kysely';
import { firstIdAt } from '../../core/ids';
import type { DeadClass } from '../delivery/retry-policy';
import type { Engine, Queryable } from '../../storage/storage';
import { anyOf } from '../any-of';
import { type BulkOrder, type DeliveryFilter, type Steps, type Stride, pick } from './job';

/** A delivery that a job is about. */
export interface FoundDelivery {
  id: string;
  eventId: string;
  endpointId: string;
  source: string;
  fanOut: number;
  createdAt: number;
}

interface Row extends FoundDelivery {
  accountId: string;
  status: string;
  reason: string | null;
  settledAt: number | null;
  application?: string;
  eventType?: string;
}

const COLUMNS = [
  'id',
  'event_id as eventId',
  'endpoint_id as endpointId',
  'source',
  'fan_out as fanOut',
  'created_at as createdAt',
  'account_id as accountId',
  'settled_at as settledAt',
  'status',
  'reason',
] as const;

const CLASSES: readonly DeadClass[] = ['pipeline', 'receiver'];

/**
 * Dead deliveries that died before the order, of each class in the order of their ids. They are found by the indexes of dead
 * deliveries alone, whatever else there is.
 * @param leadsSomewhere False for an endpoint that is no more: what is redriven to it would be cancelled at once.
 */
export async function walkDead(
  on: Queryable,
  engine: Engine,
  order: BulkOrder,
  cursor: string | null,
  stride: Stride,
  leadsSomewhere: (endpointId: string) => boolean,
): Promise<Steps<FoundDelivery>> {
  const { accountId, filter } = order;
  const classes = filter.deadClass === undefined ? CLASSES : [filter.deadClass];
  const [deadClass = classes[0], after] = cursor === null ? [] : (cursor.split('/') as [DeadClass, string]);
  const rows = await dressed(
    on,
    engine,
    filter,
    await on
      .selectFrom('deliveries')
      .select(COLUMNS)
      .where('dead_class', '=', deadClass as DeadClass)
      .$if(accountId !== null, (query) => query.where('account_id', '=', accountId as string))
      .$if(filter.endpointId !== undefined, (query) => query.where('endpoint_id', '=', filter.endpointId as string))
      .$if(filter.sinceMs !== undefined, (query) => query.where('id', '>=', firstIdAt(filter.sinceMs as number)))
      .$if(filter.untilMs !== undefined, (query) => query.where('id', '<', firstIdAt(filter.untilMs as number)))
      .$if(after !== undefined && after !== '', (query) => query.where('id', '>', after as string))
      .orderBy('id')
      .limit(stride.look)
      .execute(),
  );
  const isWanted = wanted(order);
  const steps = pick(
    rows,
    stride,
    (row) => isWanted(row) && (row.settledAt ?? 0) <= order.createdAt && leadsSomewhere(row.endpointId),
    (row) => `${String(deadClass)}/${row.id}`,
  );
  const next = classes[classes.indexOf(deadClass as DeadClass) + 1];
  return steps.cursor === null && next !== undefined ? { ...steps, cursor: `${next}/` } : steps;
}

/** Open deliveries that nobody works on and that were made before the order, in the order they were made. */
export async function walkOpen(
  on: Queryable,
  engine: Engine,
  order: BulkOrder,
  cursor: string | null,
  stride: Stride,
): Promise<Steps<FoundDelivery>> {
  const { filter } = order;
  const [madeAt, id] = cursor === null ? [] : cursor.split('/');
  const from = Math.max(filter.sinceMs ?? 0, Number(madeAt ?? 0));
  const rows = await dressed(
    on,
    engine,
    filter,
    await on
      .selectFrom('deliveries')
      .select(COLUMNS)
      .where('leased_by', 'is', null)
      .where('next_attempt_at', 'is not', null)
      .where('created_at', '>=', from)
      .where('created_at', '<', Math.min(order.createdAt + 1, filter.untilMs ?? Infinity))
      .$if(id !== undefined, (query) => query.where(sql<SqlBool>`(created_at > ${Number(madeAt)} or id > ${id})`))
      .orderBy('created_at')
      .orderBy('id')
      .limit(stride.look)
      .execute(),
  );
  return pick(rows, stride, wanted(order), (row) => `${String(row.createdAt)}/${row.id}`);
}

/** With what the filter asks of their events, where it does; an event that has expired has nothing. */
async function dressed(on: Queryable, engine: Engine, filter: DeliveryFilter, rows: Row[]): Promise<Row[]> {
  if (rows.length === 0 || (filter.application === undefined && filter.eventType === undefined)) return rows;
  const events = await on
    .selectFrom('events')
    .select(['id', 'application', 'event_type as eventType'])
    .where(
      anyOf(
        engine,
        'id',
        'uuid',
        rows.map((row) => row.eventId),
      ),
    )
    .execute();
  const byId = new Map(events.map((event) => [event.id, event]));
  return rows.map((row) => ({ ...byId.get(row.eventId), ...row }));
}

/** What no index helps with is asked here, so that a stride is as long as it says however few rows are wanted. */
const wanted =
  ({ accountId, filter }: BulkOrder) =>
  (row: Row): boolean =>
    (accountId === null || row.accountId === accountId) &&
    (filter.endpointId === undefined || row.endpointId === filter.endpointId) &&
    (filter.status === undefined || row.status === filter.status) &&
    (filter.reason === undefined || row.reason === filter.reason) &&
    (filter.application === undefined || row.application === filter.application) &&
    (filter.eventType === undefined || row.eventType === filter.eventType);
