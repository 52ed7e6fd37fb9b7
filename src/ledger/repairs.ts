import { Injectable, Logger } from '@nestjs/common';
import { doorOf } from '../core/ledger-source';
import { Metrics } from '../metrics/metrics.service';

/** What was found out of order and mended; docs/operations.md says what each means. */
const KINDS = [
  'ledger_pending',
  'door_uncounted',
  'door_missing',
  'dead_unbooked',
  'event_without_deliveries',
  'event_missing',
  'endpoint_missing',
  'open_without_time',
  'settled_but_due',
  'settled_with_lease',
  'lease_without_end',
] as const;

export type RepairKind = (typeof KINDS)[number];

const MOST_NAMED = 5;

/** Counts what was mended, and says it with one line a kind. */
@Injectable()
export class Repairs {
  private readonly logger = new Logger('Reconciler');
  /** Since the last lines; of what was mended one more than is named. */
  private untold = new Map<RepairKind, { count: number; of: string[] }>();

  constructor(private readonly metrics: Metrics) {
    // A series that begins with its first repair has no increase to alarm of.
    for (const kind of KINDS) metrics.repairs.inc({ kind }, 0);
  }

  /** @param of What it was done to: ids, or sources. */
  made(kind: RepairKind, of: readonly string[], count = of.length): void {
    if (count === 0) return;
    this.metrics.repairs.inc({ kind }, count);
    const earlier = this.untold.get(kind)?.of ?? [];
    this.untold.set(kind, {
      count: (this.untold.get(kind)?.count ?? 0) + count,
      of: [...new Set([...earlier, ...of])].slice(0, MOST_NAMED + 1),
    });
  }

  /** Requests of a source that the broker confirmed and that never came out of it. */
  missing(source: string, count: number): void {
    this.metrics.missing.inc({ source: doorOf(source) }, count);
    this.made('door_missing', [source], count);
  }

  /** To be called at the end of a turn, also of one that failed. */
  tell(): void {
    for (const [kind, { count, of }] of this.untold) {
      this.logger.warn(`Repaired ${count} × ${kind}: ${of.slice(0, MOST_NAMED).join(', ')}${of.length > MOST_NAMED ? ', …' : ''}`);
    }
    this.untold = new Map();
  }
}
