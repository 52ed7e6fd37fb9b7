/**
 * The member that a key belongs to: each has a pseudo-random weight for it, and the heaviest wins. Everyone who sees the same members
 * finds the same owner, and one member more or less moves only its own keys. @returns undefined where there is no member.
 */
export function ownerOf(key: string, members: Iterable<string>): string | undefined {
  const seed = fnv1a(key);
  let owner: string | undefined;
  let heaviest = -1;
  for (const member of members) {
    const weight = mixed(seed ^ fnv1a(member));
    if (weight > heaviest || (weight === heaviest && owner !== undefined && member > owner)) {
      owner = member;
      heaviest = weight;
    }
  }
  return owner;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** Murmur's finaliser: neighbouring ids differ in few bits, their weights must not. */
function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
