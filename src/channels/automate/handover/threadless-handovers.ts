import { Injectable, Logger } from '@nestjs/common';
import { loadEvents } from '../../../dispatcher/load-events';
import type { StoredEvent } from '../../../dispatcher/stored-event';
import { Storage } from '../../../storage/storage';
import { readHandover } from '../automate.request';
import { HANDOVER_ENDPOINT } from './endpoints';

const MOST_SHOWN = 100;
/** Handovers that this process keeps in mind as told of. */
const MOST_TOLD = 1_000;

/** A handover whose thread was not there at its last attempt. */
export interface ThreadlessHandover {
  threadId: string;
  deliveryId: string;
  attemptCount: number;
  /** ISO 8601. */
  acceptedAt: string;
  nextAttemptAt: string;
}

/** Handovers whose threads are missing. By the schedule they are tried for more than a day before anybody hears of them as dead. */
@Injectable()
export class ThreadlessHandovers {
  private readonly logger = new Logger(ThreadlessHandovers.name);
  /** Ids of events. */
  private readonly told = new Set<string>();

  constructor(private readonly storage: Storage) {}

  /** Says so in the log, once a handover. */
  tell(threadId: string, { id }: Pick<StoredEvent, 'id'>): void {
    if (this.told.has(id)) return;
    if (this.told.size >= MOST_TOLD) this.told.clear();
    this.told.add(id);
    this.logger.warn(`The handover of ${threadId} (event ${id}) waits: there is no such thread; each further attempt looks for it`);
  }

  /** Those that are due next, at most 100. */
  async waiting(): Promise<ThreadlessHandover[]> {
    const rows = await this.storage.db
      .selectFrom('deliveries as d')
      .innerJoin('attempts as a', (join) => join.onRef('a.delivery_id', '=', 'd.id').onRef('a.number', '=', 'd.attempt_count'))
      .select(['d.id', 'd.attempt_count', 'd.created_at', 'd.next_attempt_at', 'd.event_id'])
      .where('d.endpoint_id', '=', HANDOVER_ENDPOINT)
      .where('d.leased_by', 'is', null)
      .where('d.next_attempt_at', 'is not', null)
      .where('a.code', '=', 'thread_not_found')
      .orderBy('d.next_attempt_at')
      .limit(MOST_SHOWN)
      .execute();
    const { events } = await loadEvents(
      this.storage,
      rows.map((row) => row.event_id),
    );
    return rows.flatMap((row) => {
      const event = events.get(row.event_id);
      if (event === undefined || row.next_attempt_at === null) return [];
      return {
        threadId: readHandover(event.data).threadId,
        deliveryId: row.id,
        attemptCount: row.attempt_count,
        acceptedAt: new Date(row.created_at).toISOString(),
        nextAttemptAt: new Date(row.next_attempt_at).toISOString(),
      };
    });
  }
}
