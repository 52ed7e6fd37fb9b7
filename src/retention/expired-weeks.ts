import { Logger } from '@nestjs/common';
import { type RawBuilder, sql } from 'kysely';
import { setTimeout as delay } from 'node:timers/promises';
import { isOutage } from '../core/errors';
import { timeOfId } from '../core/ids';
import { eachOpenSlice } from '../dispatcher/delivery/open-slices';
import { type Partition, dropPartition, partitionAt, partitionsOf } from '../storage/postgres/partitions';
import type { Storage } from '../storage/storage';

const TRIES = 20;

/**
 * PostgreSQL: drops what lies wholly before the time, week by week. A week stays while an event of it has an open delivery, wherever
 * that lies; a week of deliveries also while an event of a week before it, that stays, has one in it. Such weeks lose their rows one
 * by one. An event whose delivery is opened again at the very moment is gone all the same, and the delivery is then dead.
 */
export class ExpiredWeeks {
  private readonly logger = new Logger('Retention');

  constructor(private readonly storage: Storage) {}

  /** @param before The first id of the first week that stays. */
  async drop(before: string): Promise<void> {
    const weeks = new Set<number>();
    const present = new Set<string>();
    for (const table of ['events', 'deliveries', 'attempts'] as const) {
      for (const { name, from, to } of await partitionsOf(this.storage.db, table)) {
        if (to > before) continue;
        weeks.add(timeOfId(from));
        present.add(name);
      }
    }
    if (weeks.size === 0) return;
    const owed = await this.weeksOwed(before);
    for (const week of [...weeks].sort((a, b) => a - b)) {
      const [events, deliveries, attempts] = (['events', 'deliveries', 'attempts'] as const).map((table) => partitionAt(table, week)) as [
        Partition,
        Partition,
        Partition,
      ];
      if (owed.has(week)) continue;
      if (present.has(events.name)) await this.dropTable(events.name);
      if (present.has(deliveries.name) && (await this.isNeeded(deliveries))) continue;
      if (present.has(deliveries.name)) await this.dropTable(deliveries.name);
      if (present.has(attempts.name)) await this.dropTable(attempts.name);
    }
  }

  /** Refused requests have no one that needs them. */
  async dropRequests(before: string): Promise<void> {
    for (const { name, to } of await partitionsOf(this.storage.db, 'requests')) if (to <= before) await this.dropTable(name);
  }

  /** The weeks of the events that have an open delivery, of those before. */
  private async weeksOwed(before: string): Promise<Set<number>> {
    const weeks = new Set<number>();
    await this.storage.snapshot((db) =>
      eachOpenSlice(db, 'postgres', async (slice) => {
        const { rows } = await sql<{ event_id: string }>`
          select distinct d.event_id from deliveries d where ${slice} and d.event_id < ${before}`.execute(db);
        for (const row of rows) weeks.add(timeOfId(partitionAt('events', timeOfId(row.event_id)).from));
      }),
    );
    return weeks;
  }

  private async isNeeded({ name, from }: Partition): Promise<boolean> {
    const partition = sql.table(name);
    const exists = async (query: RawBuilder<unknown>): Promise<boolean> => (await query.execute(this.storage.db)).rows.length > 0;
    return (
      (await exists(sql`select 1 from ${partition} where leased_by is null and next_attempt_at is not null limit 1`)) ||
      (await exists(sql`select 1 from ${partition} where lease_until is not null limit 1`)) ||
      // Bounded on the deliveries' side, where those of earlier events are few: else all of these are gone through.
      (await exists(
        sql`select 1 from ${partition} d where d.event_id < ${from} and d.id <> d.event_id
          and exists (select 1 from events e where e.id = d.event_id) limit 1`,
      ))
    );
  }

  private async dropTable(name: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.storage.transaction((trx) => dropPartition(trx, name));
        this.logger.log(`Dropped ${name}: its time is over`);
        return;
      } catch (error) {
        if (attempt >= TRIES || !isOutage(error)) throw error;
      }
      // Traffic that has queued up behind the try goes first.
      await delay(100 + Math.random() * 400);
    }
  }
}
