import { Injectable } from '@nestjs/common';

/** How soon the database is asked about a delivery that found no slot: its row may not be committed yet. */
const SUSPICION_DELAY_MS = 50;

/**
 * What this process knows of deliveries that wait in the database for a slot, not for their time. It joins the runner, which
 * learns of them, and the puller, which fetches them.
 */
@Injectable()
export class Backlog {
  private suspects = new Set<string>();
  /** Endpoints that had more than was asked for. */
  private readonly known = new Set<string>();
  private wake: (kind: 'claim' | 'look', atMs: number) => void = () => undefined;

  /** `claim`: to ask for the endpoints to ask about; `look`: to look at all. */
  onWork(wake: (kind: 'claim' | 'look', atMs: number) => void): void {
    this.wake = wake;
  }

  /** New deliveries to such an endpoint queue behind those in the database. */
  isKnown(endpointId: string): boolean {
    return this.known.has(endpointId);
  }

  /** A delivery to the endpoint is being stored for which there was no slot. */
  suspect(endpointId: string): void {
    if (this.suspects.has(endpointId)) return;
    this.suspects.add(endpointId);
    this.wake('claim', Date.now() + SUSPICION_DELAY_MS);
  }

  /** The database was seen to hold due deliveries to the endpoint. */
  found(endpointId: string): void {
    this.suspects.add(endpointId);
  }

  roomFreed(): void {
    if (this.suspects.size > 0) this.wake('claim', Date.now());
  }

  dueAt(atMs: number): void {
    this.wake('look', atMs);
  }

  /** The endpoints to ask about. */
  endpoints(): readonly string[] {
    return [...this.suspects];
  }

  /** The database is about to be asked; what is suspected from now on is suspected anew. */
  asking(endpointId: string): void {
    this.suspects.delete(endpointId);
  }

  /** The database gave as much as was asked for, so there may be more. */
  answered(endpointId: string, isMore: boolean): void {
    if (isMore) {
      this.suspects.add(endpointId);
      this.known.add(endpointId);
    } else {
      this.known.delete(endpointId);
    }
  }

  /** It is not to be pulled for (disabled or gone). */
  forget(endpointId: string): void {
    this.suspects.delete(endpointId);
    this.known.delete(endpointId);
  }
}
