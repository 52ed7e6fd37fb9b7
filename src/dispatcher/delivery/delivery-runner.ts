import { Injectable } from '@nestjs/common';
import type { EndpointRecord } from '../registry/endpoint-record';
import type { DeliveryJob } from './delivery-job';

/** Makes the attempts of this process. Who has reserved a slot must start the job or release the slot. */
@Injectable()
export class DeliveryRunner {
  /** Takes a slot for one delivery to the endpoint, when this process has room for it. */
  reserve(_endpoint: EndpointRecord): boolean {
    return false;
  }

  /** How long a lease on a delivery to the endpoint must last from now, in milliseconds. */
  leaseMs(_endpoint: EndpointRecord): number {
    return 25_000;
  }

  /** Attempts the jobs at once; each has a reserved slot and is leased to BOOT_ID, and that is committed. Never throws. */
  start(_jobs: readonly DeliveryJob[]): void {}

  /** Gives back slots, one for each entry, that no job will use. */
  release(_endpoints: readonly EndpointRecord[]): void {}
}
