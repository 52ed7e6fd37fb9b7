import { BOOT_ID, newId } from '../core/ids';
import type { InsertRow } from '../storage/storage';
import type { DeliveryJob } from './delivery/delivery-job';
import type { DeliveryRunner } from './delivery/delivery-runner';
import { newDelivery } from './new-delivery';
import type { EndpointRecord } from './registry/endpoint-record';
import type { Match, RegistrySnapshot } from './registry/snapshot';
import { type StoredEvent, toEventRow } from './stored-event';

const NOBODY: Match = { endpoints: [], disabledOnly: false };

/** What delivering needs of the runner. */
export type Runner = Pick<DeliveryRunner, 'reserve' | 'leaseMs' | 'start' | 'stored' | 'release'>;

/**
 * The rows of one transaction's new events and of their deliveries. A delivery that this process has room for is leased to it from
 * its first moment, so that it can be attempted as soon as the transaction has committed.
 */
export class Outbound {
  readonly events: InsertRow<'events'>[] = [];
  readonly deliveries: InsertRow<'deliveries'>[] = [];
  private jobs: DeliveryJob[] = [];
  private reserved: EndpointRecord[] = [];
  /** Whose deliveries found no room. */
  private readonly unleased = new Set<EndpointRecord>();

  constructor(
    private readonly runner: Runner,
    private readonly registry: Pick<RegistrySnapshot, 'match'>,
    private readonly nowMs: number,
  ) {}

  add(event: StoredEvent): 'pending' | 'filtered' {
    const { endpoints, disabledOnly } = event.withheld ? NOBODY : this.registry.match(event);
    // What was parsed to match it is not kept as long as the event is.
    if (event.subject !== undefined) event.subject = undefined;
    const fanOut = endpoints.length;
    const reason = event.withheld ?? (disabledOnly ? 'endpoint_disabled' : 'no_filter');
    // Here and below rows are added to, not copied: a copy costs more than all else in here.
    this.events.push(Object.assign(toEventRow(event), { fan_out: fanOut, filtered_reason: fanOut === 0 ? reason : null }));
    endpoints.forEach((endpoint, index) => this.addDelivery(index === 0 ? event.id : newId(), event, endpoint, fanOut));
    return fanOut === 0 ? 'filtered' : 'pending';
  }

  /** To be called once the rows are committed. */
  send(): void {
    const { jobs } = this;
    this.jobs = [];
    this.reserved = [];
    if (jobs.length > 0) this.runner.start(jobs);
    if (this.unleased.size > 0) this.runner.stored(this.unleased);
  }

  /** To be called when the rows are not committed: gives back the slots. */
  abandon(): void {
    const { reserved } = this;
    this.jobs = [];
    this.reserved = [];
    if (reserved.length > 0) this.runner.release(reserved);
  }

  private addDelivery(id: string, event: StoredEvent, endpoint: EndpointRecord, fanOut: number): void {
    const row = newDelivery(id, event, endpoint.id, fanOut, this.nowMs);
    this.deliveries.push(row);
    if (this.runner.reserve(endpoint)) {
      row.leased_by = BOOT_ID;
      row.lease_until = this.nowMs + this.runner.leaseMs(endpoint);
      this.reserved.push(endpoint);
      this.jobs.push({ deliveryId: id, endpointId: endpoint.id, attemptCount: 0, attemptsBefore: 0, fanOut, event });
    } else {
      this.unleased.add(endpoint);
    }
  }
}
