import { ApiProperty } from '@nestjs/swagger';
import type { LedgerRow } from '../dispatcher/ledger-delta';

/** Counts of events: accepted = delivered + filtered + duplicate + dead + cancelled + pending. */
export class LedgerCounts {
  @ApiProperty({ description: 'Events read from accepted requests, and messages that could not be read', type: 'integer' })
  accepted!: number;
  @ApiProperty({ description: 'Every delivery of them arrived', type: 'integer' })
  delivered!: number;
  @ApiProperty({ description: 'No filter wanted them, or only disabled endpoints did', type: 'integer' })
  filtered!: number;
  @ApiProperty({ description: 'They had come before', type: 'integer' })
  duplicate!: number;
  @ApiProperty({ description: 'A delivery of them was given up', type: 'integer' })
  dead!: number;
  @ApiProperty({ description: 'A delivery of them was cancelled, none was given up', type: 'integer' })
  cancelled!: number;
  @ApiProperty({ description: 'A delivery of them is open', type: 'integer' })
  pending!: number;
}

export class SourceLedger extends LedgerCounts {
  @ApiProperty({ description: 'A channel, or `events` for the REST API' })
  source!: string;
}

export class DoorLedger {
  @ApiProperty({ description: 'Requests that the broker confirmed', type: 'integer' })
  confirmed!: number;
  @ApiProperty({ description: 'Requests that were dispatched from the broker; the others are in its queues', type: 'integer' })
  dispatched!: number;
}

export class LedgerView {
  @ApiProperty()
  total!: LedgerCounts;
  @ApiProperty({ type: [SourceLedger] })
  sources!: SourceLedger[];
  @ApiProperty()
  door!: DoorLedger;
}

export function toLedgerView(rows: readonly LedgerRow[]): LedgerView {
  const sum = (pick: (row: LedgerRow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  return {
    total: {
      accepted: sum((row) => row.accepted),
      delivered: sum((row) => row.delivered),
      filtered: sum((row) => row.filtered),
      duplicate: sum((row) => row.duplicate),
      dead: sum((row) => row.dead),
      cancelled: sum((row) => row.cancelled),
      pending: sum((row) => row.pending),
    },
    sources: rows.map(({ door_confirmed: _confirmed, door_dispatched: _dispatched, ...counts }) => counts),
    door: { confirmed: sum((row) => row.door_confirmed), dispatched: sum((row) => row.door_dispatched) },
  };
}
