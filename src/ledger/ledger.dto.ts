import type { LedgerRow } from '../dispatcher/ledger-delta';

/** Counts of events: accepted = delivered + filtered + duplicate + dead + cancelled + pending. */
export class LedgerCountsDto {
  /** Events read from accepted requests, and messages that could not be read. */
  accepted!: number;
  /** All deliveries of these arrived. */
  delivered!: number;
  /** No filter wanted these, or only disabled endpoints did. */
  filtered!: number;
  /** These had come before. */
  duplicate!: number;
  /** A delivery of these was given up, and none is open; or they could not be read. */
  dead!: number;
  /** A delivery of these was cancelled, none was given up, and none is open. */
  cancelled!: number;
  /** A delivery of these is open. */
  pending!: number;
}

export class SourceLedgerDto extends LedgerCountsDto {
  /** A channel; `events` is the REST API. */
  source!: string;
}

export class DoorLedgerDto {
  /** Requests that the broker confirmed. */
  confirmed!: number;
  /** Requests that were dispatched from the broker; the others wait in its queues. */
  dispatched!: number;
}

export class LedgerDto {
  total!: LedgerCountsDto;
  sources!: SourceLedgerDto[];
  door!: DoorLedgerDto;
}

export function ledgerView(rows: readonly LedgerRow[]): LedgerDto {
  const sum = (column: Exclude<keyof LedgerRow, 'source'>): number => rows.reduce((total, row) => total + row[column], 0);
  return {
    total: {
      accepted: sum('accepted'),
      delivered: sum('delivered'),
      filtered: sum('filtered'),
      duplicate: sum('duplicate'),
      dead: sum('dead'),
      cancelled: sum('cancelled'),
      pending: sum('pending'),
    },
    sources: rows.map(({ door_confirmed: _confirmed, door_dispatched: _dispatched, ...counts }) => counts),
    door: { confirmed: sum('door_confirmed'), dispatched: sum('door_dispatched') },
  };
}
