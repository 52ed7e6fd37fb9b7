import { Injectable } from '@nestjs/common';
import { DeliveryConfig } from './delivery.config';

/**
 * What this process may have in hand. A delivery holds its place from before it is leased until it is settled, so results that
 * cannot be written yet are bounded; its endpoint's slot only until the attempt has ended, since that is what the receiver feels.
 * An endpoint's own `maxInFlight` and rate, which hold across processes, and its circuit belong here as well.
 */
@Injectable()
export class DeliverySlots {
  private held = 0;
  private bytes = 0;
  private readonly byEndpoint = new Map<string, number>();

  constructor(private readonly config: DeliveryConfig) {}

  /** Places for deliveries to any endpoint. */
  get free(): number {
    return this.bytes < this.config.maxInFlightBytes ? this.config.concurrency - this.held : 0;
  }

  get freeBytes(): number {
    return Math.max(0, this.config.maxInFlightBytes - this.bytes);
  }

  /** Attempts that may be begun to the endpoint, were there places enough. */
  roomOf(endpointId: string): number {
    return this.config.maxInFlightPerEndpoint - (this.byEndpoint.get(endpointId) ?? 0);
  }

  take(endpointId: string): boolean {
    if (this.free <= 0 || this.roomOf(endpointId) <= 0) return false;
    this.held += 1;
    this.byEndpoint.set(endpointId, (this.byEndpoint.get(endpointId) ?? 0) + 1);
    return true;
  }

  addBytes(bytes: number): void {
    this.bytes += bytes;
  }

  attemptEnded(endpointId: string): void {
    const left = (this.byEndpoint.get(endpointId) ?? 0) - 1;
    if (left > 0) this.byEndpoint.set(endpointId, left);
    else this.byEndpoint.delete(endpointId);
  }

  settled(bytes: number): void {
    this.held -= 1;
    this.bytes -= bytes;
  }

  /** For what was taken and never begun. */
  giveBack(endpointId: string): void {
    this.attemptEnded(endpointId);
    this.settled(0);
  }
}
