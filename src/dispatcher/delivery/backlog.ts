import { Injectable } from '@nestjs/common';

/** How soon the database is asked about a delivery that found no slot, where its row may not be committed yet. */
const SUSPICION_DELAY_MS = 50;
/** And where it is committed, so that several groups are asked about together. */
const STORED_DELAY_MS = 5;
/** Times at which endpoints are asked about again are rounded up to a multiple, so that many are asked about together. */
const AGAIN_STEP_MS = 5;
/** Of an endpoint's times further away only the first is kept: the looks find the others by then. */
const NEAR_MS = 2_000;

/**
 * What this process knows of deliveries that wait in the database for a slot, not for their time. It joins the runner, which
 * learns of them, and the puller, which fetches them.
 */
@Injectable()
export class Backlog {
  private suspects = new Set<string>();
  /** Endpoints that had more than was asked for. */
  private readonly known = new Set<string>();
  /** Endpoints that have all the attempts under way that they may have. */
  private readonly full = new Set<string>();
  /** Endpoints to be asked about again, and when: deliveries that failed one after the other are due one after the other. */
  private readonly again = new Map<string, Set<number>>();
  private nextAgainAt = Infinity;
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
    this.suspectIn(endpointId, SUSPICION_DELAY_MS);
  }

  /** A delivery to the endpoint has been stored for which there was no slot. */
  stored(endpointId: string): void {
    this.suspectIn(endpointId, STORED_DELAY_MS);
  }

  /** The database was seen to hold due deliveries to the endpoint. */
  found(endpointId: string): void {
    this.suspects.add(endpointId);
  }

  /** A place is free, for whichever endpoint. */
  roomFreed(): void {
    if (this.suspects.size > 0) this.wake('claim', Date.now());
  }

  /** An attempt to the endpoint has ended. */
  slotFreed(endpointId: string): void {
    if (this.full.delete(endpointId)) this.suspects.add(endpointId);
    this.roomFreed();
  }

  dueAt(atMs: number): void {
    this.wake('look', atMs);
  }

  /** A delivery to the endpoint is due then. */
  dueLater(endpointId: string, atMs: number): void {
    this.askAgain(endpointId, atMs, atMs > Date.now() + NEAR_MS);
  }

  /** The endpoints to ask about. */
  endpoints(): readonly string[] {
    return [...this.suspects];
  }

  /** The endpoint may have no attempt more now: not before so long, or, where that is undefined, before one to it has ended. */
  park(endpointId: string, forMs: number | undefined): void {
    this.suspects.delete(endpointId);
    if (forMs === undefined) this.full.add(endpointId);
    else this.askAgain(endpointId, Date.now() + forMs, true);
  }

  /** When the first of the parked endpoints is to be asked about again. */
  get nextAt(): number {
    return this.nextAgainAt;
  }

  /** Takes up the endpoints that are to be asked about again by now. */
  takeUpParked(nowMs: number): void {
    if (nowMs < this.nextAgainAt) return;
    this.nextAgainAt = Infinity;
    for (const [endpointId, times] of this.again) {
      for (const atMs of times) {
        if (atMs > nowMs) {
          this.nextAgainAt = Math.min(this.nextAgainAt, atMs);
        } else {
          times.delete(atMs);
          this.suspects.add(endpointId);
        }
      }
      if (times.size === 0) this.again.delete(endpointId);
    }
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

  /** It is not to be pulled for (disabled, gone, or another process's). */
  forget(endpointId: string): void {
    this.suspects.delete(endpointId);
    this.known.delete(endpointId);
    this.full.delete(endpointId);
    this.again.delete(endpointId);
  }

  /** @param isEarlierEnough an earlier time of the endpoint's serves as well: then it is asked about, and this one found anew. */
  private askAgain(endpointId: string, atMs: number, isEarlierEnough: boolean): void {
    const roundedMs = Math.ceil(atMs / AGAIN_STEP_MS) * AGAIN_STEP_MS;
    const times = this.again.get(endpointId) ?? new Set();
    if (times.has(roundedMs) || (isEarlierEnough && [...times].some((time) => time < roundedMs))) return;
    this.again.set(endpointId, times.add(roundedMs));
    this.nextAgainAt = Math.min(this.nextAgainAt, roundedMs);
    this.wake('claim', roundedMs);
  }

  private suspectIn(endpointId: string, delayMs: number): void {
    if (this.suspects.has(endpointId)) return;
    this.suspects.add(endpointId);
    this.wake('claim', Date.now() + delayMs);
  }
}
