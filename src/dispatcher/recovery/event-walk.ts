import type { WithheldReason } from '../../core/hook-event';
import { firstIdAt } from '../../core/ids';
import type { Engine, Queryable } from '../../storage/storage';
import { UNASKED, payloadSlices } from '../event-payloads';
import { ofEvents } from '../of-events';
import type { MatchableEvent } from '../registry/match-index';
import type { RegistrySnapshot } from '../registry/snapshot';
import { type ReplayOrder, type Steps, type Stride, pick } from './job';
import { TEST_SOURCE } from './test-event';

const OWN_BOT: WithheldReason = 'own_bot';

export interface FoundEvent {
  id: string;
}

/** Deliveries in these states are sent, or are going to be: a replay leaves them alone. */
export const LEFT_ALONE: ReadonlySet<string> = new Set(['pending', 'waiting', 'delivered']);

type Registry = Pick<RegistrySnapshot, 'match' | 'isContentAsked'>;

interface Row {
  id: string;
  source: string;
  application: string;
  eventType: string;
  level: string | null;
  filteredReason: string | null;
}

/** The account's events in the order they were stored, as far as the endpoint is to get them and has not. */
export async function walkEvents(
  on: Queryable,
  engine: Engine,
  order: ReplayOrder,
  registry: Registry,
  cursor: string | null,
  stride: Stride,
): Promise<Steps<FoundEvent>> {
  const { sinceMs, untilMs } = order.filter;
  const rows = await on
    .selectFrom('events')
    .select(['id', 'source', 'application', 'event_type as eventType', 'level', 'filtered_reason as filteredReason'])
    .where('account_id', '=', order.accountId)
    .where('id', '>=', firstIdAt(sinceMs))
    .where('id', '<', firstIdAt(Math.min(untilMs, order.createdAt + 1)))
    .$if(cursor !== null, (query) => query.where('id', '>', cursor as string))
    .orderBy('id')
    .limit(stride.look)
    .execute();
  const matching = await meant(on, engine, order, registry, rows.filter(isReplayable));
  for (const id of await haveIt(on, engine, order.endpointId, [...matching])) matching.delete(id);
  return pick(
    rows,
    stride,
    (row) => matching.has(row.id),
    (row) => row.id,
  );
}

/** Examples never are, nor what is withheld: it would come back as the next event. */
const isReplayable = ({ source, filteredReason }: Row): boolean => source !== TEST_SOURCE && filteredReason !== OWN_BOT;

/** The ids of those that the order means. Payloads are read only where filters ask for them. */
async function meant(
  on: Queryable,
  engine: Engine,
  { filter, endpointId, accountId }: ReplayOrder,
  registry: Registry,
  rows: readonly Row[],
): Promise<Set<string>> {
  const { events } = filter;
  if (events !== undefined) {
    const among = (list: readonly string[], name: string | null): boolean => list.length === 0 || (name !== null && list.includes(name));
    const { applications, eventTypes, levels } = events;
    return idsOf(
      rows.filter((row) => among(applications, row.application) && among(eventTypes, row.eventType) && among(levels, row.level)),
    );
  }
  const isMatching = (event: MatchableEvent): boolean => registry.match(event).endpoints.some(({ id }) => id === endpointId);
  const asking = idsOf(rows.filter((row) => registry.isContentAsked({ ...row, accountId })));
  const found = idsOf(rows.filter((row) => !asking.has(row.id) && isMatching({ ...row, ...UNASKED, accountId })));
  for await (const slice of payloadSlices(on, engine, [...asking])) {
    for (const event of slice) if (isMatching(event)) found.add(event.id);
  }
  return found;
}

const idsOf = (rows: readonly { id: string }[]): Set<string> => new Set(rows.map((row) => row.id));

async function haveIt(on: Queryable, engine: Engine, endpointId: string, eventIds: readonly string[]): Promise<string[]> {
  if (eventIds.length === 0) return [];
  const rows = await on
    .selectFrom('deliveries')
    .select('event_id')
    .where(ofEvents(engine, eventIds))
    .where('endpoint_id', '=', endpointId)
    .where('status', 'in', [...LEFT_ALONE])
    .execute();
  return rows.map((row) => row.event_id);
}
