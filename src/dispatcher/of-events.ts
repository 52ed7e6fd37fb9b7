import { type RawBuilder, sql } from 'kysely';
import type { Engine } from '../storage/storage';

/**
 * Of `deliveries`: those of the events. The first delivery of an event bears the event's id and stands in no further index; the
 * others are found by `deliveries_by_event`.
 */
export function ofEvents(engine: Engine, eventIds: readonly string[]): RawBuilder<boolean> {
  const ids = engine === 'postgres' ? sql`any(${eventIds}::uuid[])` : sql`(select value from json_each(${JSON.stringify(eventIds)}))`;
  return engine === 'postgres'
    ? sql<boolean>`(deliveries.id = ${ids} or (deliveries.event_id = ${ids} and deliveries.id <> deliveries.event_id))`
    : sql<boolean>`(deliveries.id in ${ids} or (deliveries.event_id in ${ids} and deliveries.id <> deliveries.event_id))`;
}
