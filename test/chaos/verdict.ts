import { doorOf, DOORS, type Door, ENDPOINTS, type EndpointName, routeOf } from './items';

/** What the sender knows of an item. */
export interface Sent {
  /** Requests with it that were answered with a 2xx. */
  accepted: number;
  /** Requests with it whose answer was a 5xx or did not come: they may have been kept. */
  unknown: number;
}

/** What an endpoint got of one item. */
export interface Arrival {
  /** How often it came. */
  count: number;
  /** The webhook-ids that it came under. */
  ids: string[];
}

/** What an endpoint got: by item, and what was no item of ours, badly signed or not byte for byte what was sent. */
export interface Arrived {
  items: ReadonlyMap<string, Arrival>;
  spoiled: readonly string[];
}

/**
 * The verdict of Jepsen's total-queue, over (item, endpoint): everything that was accepted arrives, nothing arrives that was not
 * sent there. More than once is allowed (at least once) and counted, but never under another webhook-id: a receiver could not tell.
 */
export interface Verdict {
  accepted: number;
  arrived: number;
  lost: string[];
  unexpected: string[];
  doubled: string[];
  spoiled: string[];
  duplicates: number;
  /** Items without a 2xx that arrived: a timeout says nothing. */
  recovered: number;
}

export function judge(sent: ReadonlyMap<string, Sent>, arrived: Readonly<Record<EndpointName, Arrived>>): Verdict {
  const verdict: Verdict = { accepted: 0, arrived: 0, lost: [], unexpected: [], doubled: [], spoiled: [], duplicates: 0, recovered: 0 };
  for (const [id, { accepted }] of sent) {
    if (accepted === 0) continue;
    verdict.accepted += 1;
    for (const name of routeOf(id)?.endpoints ?? []) if (!arrived[name].items.has(id)) verdict.lost.push(`${id} at ${name}`);
  }
  for (const name of ENDPOINTS) {
    verdict.spoiled.push(...arrived[name].spoiled.map((what) => `${what} at ${name}`));
    for (const [id, { count, ids }] of arrived[name].items) {
      const from = sent.get(id);
      const route: readonly EndpointName[] = routeOf(id)?.endpoints ?? [];
      if (from === undefined || from.accepted + from.unknown === 0 || !route.includes(name)) verdict.unexpected.push(`${id} at ${name}`);
      else if (from.accepted === 0) verdict.recovered += 1;
      if (ids.length > 1) verdict.doubled.push(`${id} at ${name}`);
      verdict.arrived += 1;
      verdict.duplicates += count - 1;
    }
  }
  return verdict;
}

export interface LedgerCounts {
  accepted: number;
  delivered: number;
  filtered: number;
  duplicate: number;
  dead: number;
  cancelled: number;
  pending: number;
}

/**
 * Compares the gateway's ledger with what the outside counted for itself. Where requests ended without a clear answer the outside
 * knows only between which numbers it must be.
 * @returns what does not fit; empty when all does.
 */
export function compareLedger(sent: ReadonlyMap<string, Sent>, ledger: ReadonlyMap<string, LedgerCounts>): string[] {
  return DOORS.flatMap((door) => {
    const found = ledger.get(door);
    const expected = expectedCounts(sent, door);
    if (!found) return expected.delivered[1] + expected.filtered[1] === 0 ? [] : [`${door} is not in the ledger`];
    const problems: string[] = [];
    for (const [column, [least, most]] of Object.entries(expected)) {
      const value = found[column as keyof LedgerCounts];
      if (value < least || value > most) problems.push(`${door}.${column} is ${value}, the outside counted ${least} to ${most}`);
    }
    const { accepted, delivered, filtered, duplicate, dead, cancelled, pending } = found;
    const sum = delivered + filtered + duplicate + dead + cancelled + pending;
    if (accepted !== sum) problems.push(`${door}.accepted is ${accepted}, the sum of the rest ${sum}`);
    return problems;
  });
}

type Range = [least: number, most: number];

function expectedCounts(sent: ReadonlyMap<string, Sent>, door: Door): Record<keyof LedgerCounts, Range> {
  const counts = {
    accepted: [0, 0],
    delivered: [0, 0],
    filtered: [0, 0],
    duplicate: [0, 0],
    dead: [0, 0],
    cancelled: [0, 0],
    pending: [0, 0],
  } satisfies Record<keyof LedgerCounts, Range>;
  const add = ([least, most]: [number, number], range: number[]): void => {
    range[0] = (range[0] ?? 0) + least;
    range[1] = (range[1] ?? 0) + most;
  };
  for (const [id, { accepted, unknown }] of sent) {
    if (doorOf(id) !== door) continue;
    const first: Range = [Math.min(1, accepted), Math.min(1, accepted + unknown)];
    add(first, routeOf(id)?.endpoints.length ? counts.delivered : counts.filtered);
    add([Math.max(0, accepted - 1), Math.max(0, accepted + unknown - 1)], counts.duplicate);
    add([accepted, accepted + unknown], counts.accepted);
  }
  return counts;
}
