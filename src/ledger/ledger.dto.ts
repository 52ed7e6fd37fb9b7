import { ApiProperty } from '@nestjs/swagger';
import type { LedgerRow } from '../dispatcher/ledger-delta';
import type { BalanceState } from './ledger-check.service';

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

export class LedgerDifferenceDto {
  source!: string;
  /** `sum`: accepted against the sum of the others; `pending`: events with an open delivery, counted, against `pending`. */
  check!: 'sum' | 'pending';
  expected!: number;
  found!: number;
  /** ISO 8601. */
  since!: string;
}

/** What the gateway's own check found, some seconds ago. */
export class LedgerBalanceDto {
  ok!: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'Since when it is not ok, ISO 8601; null while it is' })
  since!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'When it was last checked, ISO 8601; null before the first check' })
  checkedAt!: string | null;

  differences!: LedgerDifferenceDto[];
}

export class LedgerDto {
  total!: LedgerCountsDto;
  sources!: SourceLedgerDto[];
  door!: DoorLedgerDto;
  balance!: LedgerBalanceDto;
}

export function ledgerView(rows: readonly LedgerRow[], balance: BalanceState | undefined): LedgerDto {
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
    balance: balanceView(balance),
  };
}

function balanceView(state: BalanceState | undefined): LedgerBalanceDto {
  const differences = state?.differences ?? [];
  return {
    ok: differences.length === 0,
    since: differences.length === 0 ? null : isoOf(Math.min(...differences.map(({ since }) => since))),
    checkedAt: state === undefined ? null : isoOf(state.checkedAt),
    differences: differences.map((difference) => ({ ...difference, since: isoOf(difference.since) })),
  };
}

const isoOf = (timeMs: number): string => new Date(timeMs).toISOString();
