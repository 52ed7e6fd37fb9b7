import type { InsertRow } from '../../storage/storage';
import type { DeadDelivery } from '../operational/facts';
import type { AttemptResult } from './http/attempt';
import type { DeliveryJob } from './delivery-job';
import type { DeadClass, Verdict } from './retry-policy';

/** What is to be written of a delivery that this process had in hand. */
export interface Outcome {
  delivery: OutcomeDelivery;
  /** Undefined when no attempt could be made. */
  result: AttemptResult | undefined;
  verdict: Verdict;
}

export type OutcomeDelivery = Pick<DeliveryJob, 'deliveryId' | 'endpointId' | 'attemptCount' | 'fanOut'> & {
  eventId: string;
  source: string;
};

/** The columns of a delivery that settling sets. */
export interface SettledColumns {
  id: string;
  /** Attempts before this one: the fence. */
  expected: number;
  made: number;
  status: 'waiting' | 'delivered' | 'dead' | 'cancelled';
  nextAttemptAt: number | null;
  reason: string | null;
  deadClass: DeadClass | null;
  settledAt: number | null;
}

/** The row of the attempt; none where none could be made. */
export function attemptRow({ delivery, result, verdict }: Outcome): InsertRow<'attempts'>[] {
  if (result === undefined) return [];
  const row: InsertRow<'attempts'> = {
    delivery_id: delivery.deliveryId,
    number: delivery.attemptCount + 1,
    at: result.at,
    status: verdict.kind === 'delivered' ? 'succeeded' : 'failed',
    code: result.code,
    duration_ms: result.durationMs,
    address: result.address,
    response_head: result.responseHead,
  };
  return [row];
}

/** What is to be told of those that are given up. */
export const deadOf = (outcomes: readonly Outcome[]): DeadDelivery[] =>
  outcomes.flatMap(({ delivery, result, verdict }) => {
    if (verdict.kind !== 'dead') return [];
    const { deliveryId, eventId, endpointId, source } = delivery;
    const attemptCount = delivery.attemptCount + (result === undefined ? 0 : 1);
    return [{ deliveryId, eventId, endpointId, source, attemptCount, code: result?.code ?? verdict.reason, deadClass: verdict.deadClass }];
  });

export function columnsOf({ delivery, result, verdict }: Outcome, nowMs: number): SettledColumns {
  const base = {
    id: delivery.deliveryId,
    expected: delivery.attemptCount,
    made: delivery.attemptCount + (result === undefined ? 0 : 1),
    nextAttemptAt: null,
    reason: null,
    deadClass: null,
    settledAt: nowMs,
  };
  switch (verdict.kind) {
    case 'delivered':
      return { ...base, status: 'delivered' };
    case 'waiting':
      return { ...base, status: 'waiting', nextAttemptAt: nowMs + verdict.delayMs, settledAt: null };
    case 'dead':
      return { ...base, status: 'dead', reason: verdict.reason, deadClass: verdict.deadClass };
    case 'gone':
      return { ...base, status: 'cancelled', reason: 'endpoint_gone' };
  }
}
