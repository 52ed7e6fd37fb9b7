import type { StoredEvent } from '../stored-event';

/** One delivery that this process holds the lease of and that is to be attempted now. */
export interface DeliveryJob {
  deliveryId: string;
  endpointId: string;
  /** Attempts made so far; settling is fenced by it. */
  attemptCount: number;
  /** How many of them were made before it was last redriven: the schedule counts from there. */
  attemptsBefore: number;
  /** How many deliveries the event has in all. */
  fanOut: number;
  event: StoredEvent;
}
