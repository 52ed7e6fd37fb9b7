import { OPERATIONAL_SOURCE } from '../operational/facts';
import type { Outcome } from './outcome';
import { isOurFault } from './retry-policy';

/** What a group of results says of one endpoint. */
export interface EndpointNote {
  /** Gone over succeeding over failing. */
  state: 'succeeding' | 'failing' | 'gone';
  /** Of an attempt that showed it. */
  code: string;
  hasSucceeded: boolean;
  /** By a delivery that is no operational event: else "recovered", which it fails at first, would bring about itself. */
  hasRecovered: boolean;
  failures: number;
  /** When the last of them was begun, in milliseconds since 1970. */
  lastFailureBegunAt: number;
}

/** One note an endpoint. Attempts that failed by our own fault say nothing about the receiver. */
export function notesOf(outcomes: readonly Outcome[]): Map<string, EndpointNote> {
  const notes = new Map<string, EndpointNote>();
  for (const outcome of outcomes) {
    const { result, delivery } = outcome;
    if (result === undefined || isOurFault(result.code)) continue;
    const present = notes.get(delivery.endpointId);
    const note = noteOf(outcome, result);
    notes.set(delivery.endpointId, present ? joined(present, note) : note);
  }
  return notes;
}

/** Of two groups, one after the other: a success that is followed by failures only is over. */
export function followed(earlier: EndpointNote, later: EndpointNote): EndpointNote {
  const both = joined(earlier, later);
  const { state, code } = earlier.state === 'gone' ? earlier : later;
  return { ...both, state, code };
}

function noteOf({ delivery, verdict }: Outcome, result: NonNullable<Outcome['result']>): EndpointNote {
  const { code } = result;
  const hasSucceeded = verdict.kind === 'delivered';
  if (hasSucceeded) {
    const hasRecovered = delivery.source !== OPERATIONAL_SOURCE;
    return { state: 'succeeding', code, hasSucceeded, hasRecovered, failures: 0, lastFailureBegunAt: 0 };
  }
  const state = verdict.kind === 'gone' ? 'gone' : 'failing';
  return { state, code, hasSucceeded, hasRecovered: false, failures: 1, lastFailureBegunAt: result.at };
}

const RANK = { failing: 0, succeeding: 1, gone: 2 } as const;

function joined(a: EndpointNote, b: EndpointNote): EndpointNote {
  const { state, code } = RANK[b.state] > RANK[a.state] ? b : a;
  return {
    state,
    code,
    hasSucceeded: a.hasSucceeded || b.hasSucceeded,
    hasRecovered: a.hasRecovered || b.hasRecovered,
    failures: a.failures + b.failures,
    lastFailureBegunAt: Math.max(a.lastFailureBegunAt, b.lastFailureBegunAt),
  };
}
