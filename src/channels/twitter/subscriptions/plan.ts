import type { PlatformIdentity } from '../../../dispatcher/registry/identity-credentials';

export interface Limits {
  /** Most subscriptions of identities at once. */
  max: number;
  /** Accounts whose identities go first, in this order. */
  priorityAccounts: readonly string[];
}

export interface Plan {
  /** Ids of users. These go first: they make room. */
  unsubscribe: string[];
  /** Who is not subscribed then and should be, in the order in which they are to be tried. */
  candidates: PlatformIdentity[];
  /** How many of them may be. */
  places: number;
}

/**
 * What is to be changed for the best of the wanted identities to be subscribed: those of priority accounts first, then the oldest; those
 * whose token was refused come last and take nobody's place. An identity without a token cannot be subscribed; one that is (by hand) stays,
 * since nothing here could bring it back.
 * @param identities The oldest first.
 * @param subscribed Users that are subscribed and may be unsubscribed.
 * @param refused Users whose token was refused, while they have no other.
 */
export function planSubscriptions(
  identities: readonly PlatformIdentity[],
  subscribed: ReadonlySet<string>,
  refused: ReadonlySet<string>,
  limits: Limits,
): Plan {
  const isSubscribed = ({ externalId }: PlatformIdentity): boolean => subscribed.has(externalId);
  const rankOf = ({ accountId, externalId }: PlatformIdentity): number => {
    if (refused.has(externalId)) return Infinity;
    const rank = limits.priorityAccounts.indexOf(accountId);
    return rank === -1 ? limits.priorityAccounts.length : rank;
  };
  const byHand = identities.filter((identity) => identity.credentials === null && isSubscribed(identity));
  const wanted = identities
    .filter(({ credentials }) => credentials !== null)
    // Stable: those of one rank stay in the order of their age.
    .sort((one, other) => compare(rankOf(one), rankOf(other)));
  const max = Math.max(0, limits.max - byHand.length);
  const chosen = wanted.slice(0, max);
  const kept = new Set([...byHand, ...chosen.filter(isSubscribed)].map(({ externalId }) => externalId));
  return {
    unsubscribe: [...subscribed].filter((userId) => !kept.has(userId)),
    candidates: wanted.filter(({ externalId }) => !kept.has(externalId)),
    places: max - chosen.filter(isSubscribed).length,
  };
}

const compare = (one: number, other: number): number => (one === other ? 0 : one < other ? -1 : 1);
