import type { PlatformIdentity } from '../../../dispatcher/registry/identity-credentials';

export interface Limits {
  /** Most subscriptions at once. */
  max: number;
  /** Accounts whose identities go first, in this order. */
  priorityAccounts: readonly string[];
}

export interface Plan {
  /** Ids of users. These go first: they make room. */
  unsubscribe: string[];
  /** In the order in which they are to be tried. */
  subscribe: PlatformIdentity[];
  /** Wanted, but beyond the limit: ids of users. */
  waiting: string[];
}

/**
 * What is to be changed for the best of the wanted identities to be subscribed and nobody else: those of priority accounts first, then
 * the oldest. An identity without a token cannot be subscribed, but one that is (by hand) stays.
 * @param identities The oldest first.
 */
export function planSubscriptions(identities: readonly PlatformIdentity[], subscribed: ReadonlySet<string>, limits: Limits): Plan {
  const rankOf = ({ accountId }: PlatformIdentity): number => {
    const rank = limits.priorityAccounts.indexOf(accountId);
    return rank === -1 ? limits.priorityAccounts.length : rank;
  };
  const wanted = identities
    .filter(({ credentials, externalId }) => credentials !== null || subscribed.has(externalId))
    // Stable: those of one rank stay in the order of their age.
    .sort((one, other) => rankOf(one) - rankOf(other));
  const chosen = wanted.slice(0, limits.max);
  const kept = new Set(chosen.map(({ externalId }) => externalId));
  return {
    unsubscribe: [...subscribed].filter((userId) => !kept.has(userId)),
    subscribe: chosen.filter(({ externalId }) => !subscribed.has(externalId)),
    waiting: wanted.slice(limits.max).map(({ externalId }) => externalId),
  };
}
