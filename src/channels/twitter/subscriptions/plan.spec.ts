import type { PlatformIdentity } from '../../../dispatcher/registry/identity-credentials';
import { planSubscriptions } from './plan';

/** `account/user`, with `-` before the user that has no token. */
const identities = (...texts: string[]): PlatformIdentity[] =>
  texts.map((text, index) => {
    const [accountId = '', user = ''] = text.split('/');
    return { accountId, externalId: user.replace('-', ''), createdAt: index, credentials: user.startsWith('-') ? null : 'sealed' };
  });

describe('the plan of subscriptions', () => {
  it.each<{
    rule: string;
    wanted: string[];
    subscribed?: string[];
    refused?: string[];
    max?: number;
    gone?: string[];
    added?: string[];
    waiting?: string[];
  }>([
    { rule: 'subscribes the oldest first', wanted: ['a/2', 'b/1'], added: ['2', '1'] },
    { rule: 'leaves alone what is as it should be', wanted: ['a/1', 'b/2'], subscribed: ['2', '1'] },
    { rule: 'puts priority accounts first, in their order', wanted: ['a/1', 'q/2', 'p/3', 'p/4'], added: ['3', '4', '2', '1'] },
    { rule: 'keeps to the limit', wanted: ['a/1', 'a/2', 'p/3'], max: 2, added: ['3', '1'], waiting: ['2'] },
    { rule: 'makes room for priority', wanted: ['a/1', 'p/2'], subscribed: ['1'], max: 1, gone: ['1'], added: ['2'], waiting: ['1'] },
    { rule: 'keeps the older of equals', wanted: ['a/1', 'a/2'], subscribed: ['1'], max: 1, waiting: ['2'] },
    { rule: 'lets those go that nobody has', wanted: ['a/1'], subscribed: ['1', '9'], gone: ['9'] },
    { rule: 'lets all go when none are allowed', wanted: ['a/1'], subscribed: ['1'], max: 0, gone: ['1'], waiting: ['1'] },
    { rule: 'cannot subscribe without a token', wanted: ['a/-1', 'a/2'], max: 1, added: ['2'] },
    { rule: 'keeps what was subscribed by hand', wanted: ['a/-1', 'a/2'], subscribed: ['1'], max: 1, waiting: ['2'] },
    {
      rule: 'keeps what it could not bring back',
      wanted: ['a/1', 'a/-2', 'a/-3'],
      subscribed: ['1', '2', '3'],
      max: 1,
      gone: ['1'],
      waiting: ['1'],
    },
    { rule: 'tries refused ones last', wanted: ['p/1', 'a/2'], refused: ['1'], max: 1, added: ['2'], waiting: ['1'] },
    { rule: 'takes no place for a refused one', wanted: ['p/1', 'a/2'], subscribed: ['2'], refused: ['1'], max: 1, waiting: ['1'] },
    { rule: 'wants nothing of nobody', wanted: [] },
  ])('$rule', ({ wanted, subscribed = [], refused = [], max = 15, gone = [], added = [], waiting = [] }) => {
    const limits = { max, priorityAccounts: ['p', 'q'] };
    const { unsubscribe, candidates, places } = planSubscriptions(identities(...wanted), new Set(subscribed), new Set(refused), limits);
    const users = candidates.map(({ externalId }) => externalId);
    expect({ gone: unsubscribe, added: users.slice(0, places), waiting: users.slice(places) }).toEqual({ gone, added, waiting });
  });
});
