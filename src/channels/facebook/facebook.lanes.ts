import type { QueueName } from '../../broker/topology';
import type { PageLoad } from './facebook.envelope';

export const LANE_NAMES = ['default', 'spam', 'special'] as const;
export type LaneName = (typeof LANE_NAMES)[number];

export const QUEUE_OF_LANE: Readonly<Record<LaneName, QueueName>> = {
  default: 'webhooks.facebook.default',
  spam: 'webhooks.facebook.spam',
  special: 'webhooks.facebook.special',
};

export interface LaneRules {
  /** Events of one page in 30 minutes, above which it counts as flooding. */
  spamThreshold: number;
  specialPages: readonly string[];
  /** Milliseconds since 1970. */
  now?: () => number;
  maxTrackedPages?: number;
}

const SLOT_MS = 30_000;
const SLOTS = 60;

/**
 * Chooses a request's lane, so that a flood on one page does not hold up the others. Counts are this process's own. At most
 * 10,000 pages are tracked; the one that was quiet for longest is forgotten first.
 */
export class FacebookLanes {
  private readonly specialPages: ReadonlySet<string>;
  /** In the order of their last request. */
  private readonly pages = new Map<string, SlidingCount>();
  private readonly now: () => number;
  private readonly maxTrackedPages: number;

  constructor(private readonly rules: LaneRules) {
    this.specialPages = new Set(rules.specialPages);
    this.now = rules.now ?? Date.now;
    this.maxTrackedPages = rules.maxTrackedPages ?? 10_000;
  }

  /** Counts the request's items, itself included, and says where it goes. */
  choose(loads: readonly PageLoad[]): LaneName {
    const slot = Math.floor(this.now() / SLOT_MS);
    for (const { pageId, items } of loads) if (pageId !== undefined) this.count(pageId, slot, items);
    if (loads.some(({ pageId }) => pageId !== undefined && this.specialPages.has(pageId))) return 'special';
    return loads.length > 0 && loads.every(({ pageId }) => this.isFlooding(pageId)) ? 'spam' : 'default';
  }

  private count(pageId: string, slot: number, items: number): void {
    const count = this.pages.get(pageId) ?? new SlidingCount();
    this.pages.delete(pageId);
    this.pages.set(pageId, count);
    count.add(slot, items);
    if (this.pages.size > this.maxTrackedPages) {
      for (const oldest of this.pages.keys()) {
        this.pages.delete(oldest);
        break;
      }
    }
  }

  private isFlooding(pageId: string | undefined): boolean {
    return pageId !== undefined && (this.pages.get(pageId)?.total ?? 0) > this.rules.spamThreshold;
  }
}

/** A count over the last 30 minutes, in slots of 30 seconds. */
class SlidingCount {
  total = 0;
  private readonly slots = new Uint32Array(SLOTS);
  private latest = 0;

  add(slot: number, items: number): void {
    this.forget(slot);
    this.latest = Math.max(this.latest, slot);
    this.slots[this.latest % SLOTS]! += items;
    this.total += items;
  }

  /** Empties the slots that have left the window since the last call. */
  private forget(slot: number): void {
    for (let gone = Math.max(this.latest + 1, slot - SLOTS + 1); gone <= slot; gone++) {
      this.total -= this.slots[gone % SLOTS]!;
      this.slots[gone % SLOTS] = 0;
    }
  }
}
