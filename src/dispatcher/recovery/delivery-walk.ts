import { type SqlBool, sql } from 'kysely';
import { firstIdAt } from '../../core/ids';
import type { DeadClass } from '../delivery/retry-policy';
import type { Queryable } from '../../storage/storage';
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

type Row = FoundDelivery & { status: string; reason: string | null; application?: string | null; eventType?: string | null };

const COLUMNS = [
  'd.id',
  'd.event_id as eventId',
  'd.endpoint_id as endpointId',
  'd.source',
  'd.fan_out as fanOut',
  'd.created_at as createdAt',
  'd.status',
  'd.reason',
] as const;

const CLASSES: readonly DeadClass[] = ['pipeline', 'receiver'];

/**
 * Dead deliveries that died before the order, of each class in the order of their ids. They are found by the indexes of dead
 * deliveries alone, whatever else there is.
 * @param leadsSomewhere False for an endpoint that is no more: what is redriven to it would be cancelled at once.
 */
export async function walkDead(
  on: Queryable,
  order: BulkOrder,
  cursor: string | null,
  stride: Stride,
  leadsSomewhere: (endpointId: string) => boolean,
): Promise<Steps<FoundDelivery>> {
  const { accountId, filter } = order;
  const classes = filter.deadClass === undefined ? CLASSES : [filter.deadClass];
  const [deadClass = classes[0], after] = cursor === null ? [] : (cursor.split('/') as [DeadClass, string]);
  const found = await dressed(
    on,
    filter,
    on
      .selectFrom('deliveries as d')
      .select(COLUMNS)
      .where('dead_class', '=', deadClass as DeadClass)
      .where('settled_at', '<=', order.createdAt)
      .$if(accountId !== null, (query) => query.where('account_id', '=', accountId as string))
      .$if(filter.endpointId !== undefined, (query) => query.where('endpoint_id', '=', filter.endpointId as string))
      .$if(filter.sinceMs !== undefined, (query) => query.where('id', '>=', firstIdAt(filter.sinceMs as number)))
      .$if(filter.untilMs !== undefined, (query) => query.where('id', '<', firstIdAt(filter.untilMs as number)))
      .$if(after !== undefined && after !== '', (query) => query.where('id', '>', after as string))
      .orderBy('d.id')
      .limit(stride.look)
      .as('d'),
  );
  const rows = found.sort((a, b) => (a.id < b.id ? -1 : 1));
  const isWanted = wanted(filter);
  const steps = pick(
    rows,
    stride,
    (row) => isWanted(row) && leadsSomewhere(row.endpointId),
    (row) => `${String(deadClass)}/${row.id}`,
  );
  const next = classes[classes.indexOf(deadClass as DeadClass) + 1];
  return steps.cursor === null && next !== undefined ? { ...steps, cursor: `${next}/` } : steps;
}

/** Open deliveries that nobody works on and that were made before the order, in the order they were made. */
export async function walkOpen(on: Queryable, order: BulkOrder, cursor: string | null, stride: Stride): Promise<Steps<FoundDelivery>> {
  const { accountId, filter } = order;
  const [madeAt, id] = cursor === null ? [] : cursor.split('/');
  const from = Math.max(filter.sinceMs ?? 0, Number(madeAt ?? 0));
  const found = await dressed(
    on,
    filter,
    on
      .selectFrom('deliveries as d')
      .select(COLUMNS)
      .where('leased_by', 'is', null)
      .where('next_attempt_at', 'is not', null)
      .where('created_at', '>=', from)
      .where('created_at', '<', Math.min(order.createdAt + 1, filter.untilMs ?? Infinity))
      .$if(id !== undefined, (query) => query.where(sql<SqlBool>`(created_at > ${Number(madeAt)} or id > ${id})`))
      .$if(accountId !== null, (query) => query.where('account_id', '=', accountId as string))
      .$if(filter.endpointId !== undefined, (query) => query.where('endpoint_id', '=', filter.endpointId as string))
      .orderBy('d.created_at')
      .orderBy('d.id')
      .limit(stride.look)
      .as('d'),
  );
  const rows = found.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  return pick(rows, stride, wanted(filter), (row) => `${String(row.createdAt)}/${row.id}`);
}

type Undressed = ReturnType<typeof undressed>;

/** Only for its type. */
const undressed = (on: Queryable) => on.selectFrom('deliveries as d').select(COLUMNS).as('d');

/** With what the filter asks of their events, where it does, in no order; an event that has expired has nothing. */
async function dressed(on: Queryable, filter: DeliveryFilter, rows: Undressed): Promise<Row[]> {
  const base = on.selectFrom(rows).selectAll('d');
  if (filter.application === undefined && filter.eventType === undefined) return base.execute();
  return base.leftJoin('events as e', 'e.id', 'd.eventId').select(['e.application', 'e.event_type as eventType']).execute();
}

const wanted =
  (filter: DeliveryFilter) =>
  (row: Row): boolean =>
    (filter.status === undefined || row.status === filter.status) &&
    (filter.reason === undefined || row.reason === filter.reason) &&
    (filter.application === undefined || row.application === filter.application) &&
    (filter.eventType === undefined || row.eventType === filter.eventType);
