import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import type { Schema } from '../../storage/schema';
import { type Queryable, Storage } from '../../storage/storage';
import { FollowUps } from '../operational/follow-ups';
import { RegistryService } from '../registry/registry.service';
import { cancel, redrive } from './bulk-change';
import { type FoundDelivery, walkDead, walkOpen } from './delivery-walk';
import { type FoundEvent, walkEvents } from './event-walk';
import type { JobOrder, Steps, Stride } from './job';
import { replay } from './replay-change';

/** Most that a preview counts, and how long it may take. */
export const PREVIEW = { maxCount: 1_000_000, maxMs: 2_000, lookRows: 2_000 };

export interface Preview {
  count: number;
  /** There are at least so many: counting was given up. */
  isLowerBound: boolean;
}

export interface Slice {
  examined: number;
  changed: number;
  cursor: string | null;
}

/** What each kind of job looks for and does with what it has found; a preview looks for the same. */
@Injectable()
export class JobWork {
  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    private readonly followUps: FollowUps,
  ) {}

  async preview(order: JobOrder): Promise<Preview> {
    const deadline = Date.now() + PREVIEW.maxMs;
    const stride = { look: PREVIEW.lookRows, take: Infinity };
    let count = 0;
    let cursor: string | null = null;
    do {
      const steps: Steps<FoundDelivery | FoundEvent> = await this.walk(this.storage.db, order, cursor, stride);
      count += steps.found.length;
      cursor = steps.cursor;
    } while (cursor !== null && count < PREVIEW.maxCount && Date.now() < deadline);
    return { count, isLowerBound: cursor !== null };
  }

  /** Changes what it finds next; to be committed together with the cursor. */
  async slice(trx: Transaction<Schema>, order: JobOrder, cursor: string | null, stride: Stride): Promise<Slice> {
    const nowMs = Date.now();
    if (order.kind === 'replay') {
      const { found, cursor: next } = await this.walk(trx, order, cursor, stride);
      const ids = found.map((event) => event.id);
      return { examined: ids.length, changed: await replay(this.storage, trx, ids, order.endpointId, nowMs), cursor: next };
    }
    const { found, cursor: next } = (await this.walk(trx, order, cursor, stride)) as Steps<FoundDelivery>;
    const changed =
      order.kind === 'cancel'
        ? await this.cancel(trx, found, nowMs)
        : await redrive(
            this.storage,
            trx,
            found.map((row) => ({ ...row, status: 'dead' })),
            nowMs,
          );
    return { examined: found.length, changed, cursor: next };
  }

  private async cancel(trx: Transaction<Schema>, found: readonly FoundDelivery[], nowMs: number): Promise<number> {
    const cancelled = await cancel(this.storage, trx, found, nowMs);
    await this.followUps.book(trx, cancelled);
    return cancelled.length;
  }

  private async walk(on: Queryable, order: JobOrder, cursor: string | null, stride: Stride): Promise<Steps<FoundDelivery | FoundEvent>> {
    const registry = await this.registry.ensureLoaded();
    switch (order.kind) {
      case 'redrive':
        return walkDead(on, this.storage.engine, order, cursor, stride, (endpointId) => {
          const endpoint = registry.endpoint(endpointId);
          return endpoint !== undefined && endpoint.disabledReason !== 'endpoint_gone';
        });
      case 'cancel':
        return walkOpen(on, this.storage.engine, order, cursor, stride);
      case 'replay':
        return walkEvents(on, this.storage.engine, order, registry, cursor, stride);
    }
  }
}
