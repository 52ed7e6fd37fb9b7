export interface Claimant {
  endpointId: string;
  accountId: string;
  /** Most that it can take. */
  room: number;
}

/**
 * Shares free places out: one in turn to each account, and within it to each of its endpoints, until there is none left or nobody
 * has room. An account with a thousand busy endpoints gets no more than one with a single one.
 * @param random from 0 to 1; who begins, so that with fewer places than accounts each has its turn.
 */
export function allot(free: number, claimants: readonly Claimant[], random: number): Map<string, number> {
  const rings = ringsOf(claimants, random);
  const allotted = new Map<string, number>();
  let left = free;
  for (let turn = rings.length === 0 ? 0 : Math.floor(random * rings.length); left > 0 && rings.length > 0; left--) {
    turn %= rings.length;
    const ring = rings[turn] as Claimant[];
    const claimant = ring.shift() as Claimant;
    const count = (allotted.get(claimant.endpointId) ?? 0) + 1;
    allotted.set(claimant.endpointId, count);
    if (count < claimant.room) ring.push(claimant);
    if (ring.length === 0) rings.splice(turn, 1);
    else turn += 1;
  }
  return allotted;
}

function ringsOf(claimants: readonly Claimant[], random: number): Claimant[][] {
  const byAccount = new Map<string, Claimant[]>();
  for (const claimant of claimants) {
    if (claimant.room <= 0) continue;
    const ring = byAccount.get(claimant.accountId);
    if (ring) ring.push(claimant);
    else byAccount.set(claimant.accountId, [claimant]);
  }
  return [...byAccount.values()].map((ring) => {
    const first = Math.floor(random * ring.length);
    return [...ring.slice(first), ...ring.slice(0, first)];
  });
}
