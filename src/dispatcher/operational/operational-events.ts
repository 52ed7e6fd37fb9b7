import { Injectable } from '@nestjs/common';
import type { Transaction } from 'kysely';
import { newId } from '../../core/ids';
import type { Schema } from '../../storage/schema';
import { Storage } from '../../storage/storage';
import { anyOf } from '../any-of';
import { Backlog } from '../delivery/backlog';
import { LedgerTally, recordDelta } from '../ledger-delta';
import { Outbound, type Runner } from '../outbound';
import { RegistryService } from '../registry/registry.service';
import type { StoredEvent } from '../stored-event';
import { type DeadDelivery, OPERATIONAL_SOURCE, type OperationalFact, deliveryDead } from './facts';

/**
 * Publishes what happens to endpoints, deliveries and the ledger as events of the gateway itself, in the very transaction that makes
 * it true: there is neither a fact without its event nor an event without its fact. Nothing is stored where no filter asks for it.
 * The deliveries are not leased; the puller is told to look for them.
 */
@Injectable()
export class OperationalEvents {
  private readonly runner: Runner;

  constructor(
    private readonly storage: Storage,
    private readonly registry: RegistryService,
    backlog: Backlog,
  ) {
    const reserve: Runner['reserve'] = (endpoint) => {
      backlog.suspect(endpoint.id);
      return false;
    };
    this.runner = { reserve, leaseMs: () => 0, start: () => undefined, stored: () => undefined, release: () => undefined };
  }

  /** @throws GatewayError `storage_unavailable`, also while the registry has not been loaded yet. */
  async book(trx: Transaction<Schema>, facts: readonly OperationalFact[]): Promise<void> {
    const nowMs = Date.now();
    const events = facts.filter((fact) => this.mayBeWanted(fact)).map((fact) => eventOf(fact, nowMs));
    await this.store(
      trx,
      events.filter((event) => this.isWanted(event)),
    );
  }

  /** Stores events of the gateway's own, whoever wants them. @throws as `book`. */
  async store(trx: Transaction<Schema>, events: readonly StoredEvent[]): Promise<void> {
    if (events.length === 0) return;
    const outbound = new Outbound(this.runner, this.registry.snapshot, Date.now());
    const tally = new LedgerTally();
    for (const event of events) tally.accept(event.source, outbound.add(event));
    await this.storage.insertMany(trx, 'events', outbound.events);
    await this.storage.insertMany(trx, 'deliveries', outbound.deliveries);
    await recordDelta(trx, tally);
  }

  /**
   * Deliveries of operational events are passed over: else one that nobody takes would make the next for ever. So are those to an
   * endpoint that has been deleted.
   */
  async bookDead(trx: Transaction<Schema>, dead: readonly DeadDelivery[]): Promise<void> {
    const told = dead.flatMap((delivery) => {
      if (delivery.source === OPERATIONAL_SOURCE) return [];
      const accountId = this.registry.snapshot.endpoint(delivery.endpointId)?.accountId;
      return accountId !== undefined && this.mayBeWanted({ accountId, eventType: 'delivery.dead' }) ? [{ delivery, accountId }] : [];
    });
    if (told.length === 0) return;
    const rows = await trx
      .selectFrom('events')
      .select(['id', 'application', 'event_type as eventType'])
      .where(
        anyOf(
          this.storage.engine,
          'id',
          'uuid',
          told.map(({ delivery }) => delivery.eventId),
        ),
      )
      .execute();
    const events = new Map(rows.map((row) => [row.id, row]));
    await this.book(
      trx,
      told.map(({ delivery, accountId }) => deliveryDead(delivery, accountId, events.get(delivery.eventId))),
    );
  }

  private mayBeWanted({ accountId, eventType }: Pick<OperationalFact, 'accountId' | 'eventType'>): boolean {
    return this.registry.snapshot.mayMatch({ accountId, application: OPERATIONAL_SOURCE, eventType, level: null });
  }

  /** One that matches a disabled endpoint is stored as well: as any other, it may be replayed. */
  private isWanted(event: StoredEvent): boolean {
    const match = this.registry.snapshot.match(event);
    return match.endpoints.length > 0 || match.disabledOnly;
  }
}

function eventOf({ accountId, eventType, data }: OperationalFact, nowMs: number): StoredEvent {
  const id = newId();
  const json = Buffer.from(JSON.stringify(data));
  return {
    id,
    accountId,
    source: OPERATIONAL_SOURCE,
    application: OPERATIONAL_SOURCE,
    eventType,
    level: null,
    timestamp: new Date(nowMs).toISOString(),
    receivedAt: nowMs,
    requestId: id,
    context: null,
    data: json,
    body: json,
    contentType: 'application/json',
  };
}
