import type { OAuthToken, PlatformIdentity } from '../../../dispatcher/registry/identity-credentials';
import type { AccountActivity, PlatformWebhook } from './account-activity';
import { type Limits, planSubscriptions } from './plan';
import { XApiError } from './x-api';

/** How the platform stands after a round; after one that failed half-way, as far as it is known. */
export interface Standing {
  webhook: PlatformWebhook | null;
  /** Ids of users. */
  subscribed: string[];
  /** Wanted, but beyond the limit. */
  waiting: string[];
  /** Whose token the platform does not accept, or no key opens. */
  refused: Refusal[];
}

export interface Refusal {
  userId: string;
  reason: string;
}

export interface RoundOptions extends Limits {
  webhookUrl: string;
  identities: readonly PlatformIdentity[];
  open: (identity: PlatformIdentity) => OAuthToken | undefined;
  /** Asked between two calls. */
  isStopped: () => boolean;
}

/**
 * Brings the platform's webhook and subscriptions to what is wanted. A user whose token is refused does not hold up the others; any
 * other error ends the round.
 * @param standing Brought up to date call by call.
 * @throws XApiError
 */
export async function runRound(api: AccountActivity, options: RoundOptions, standing: Standing): Promise<void> {
  const webhook = await webhookFor(api, options.webhookUrl);
  standing.webhook = webhook;
  const subscribed = new Set(await api.subscriptions(webhook.id));
  standing.subscribed = [...subscribed];
  const usage = await api.usage();
  const max = Math.min(options.max, usage?.granted ?? options.max);
  const plan = planSubscriptions(options.identities, subscribed, { ...options, max });
  standing.waiting = plan.waiting;
  standing.refused = [];

  // Subscriptions of the app's other webhooks take room as well.
  let room = max - Math.max(usage?.total ?? 0, subscribed.size);
  for (const userId of plan.unsubscribe) {
    if (options.isStopped()) return;
    await api.unsubscribe(webhook.id, userId);
    subscribed.delete(userId);
    standing.subscribed = [...subscribed];
    room += 1;
  }
  for (const identity of plan.subscribe) {
    if (options.isStopped()) return;
    if (room <= 0) {
      standing.waiting.push(identity.externalId);
      continue;
    }
    const reason = await subscribe(api, webhook.id, options.open(identity));
    if (reason === undefined) {
      standing.subscribed.push(identity.externalId);
      room -= 1;
    } else {
      standing.refused.push({ userId: identity.externalId, reason });
    }
  }
}

/** The gateway's own webhook, made where it is missing and validated where the platform has given it up. */
async function webhookFor(api: AccountActivity, url: string): Promise<PlatformWebhook> {
  const found = (await api.webhooks()).find((webhook) => webhook.url === url);
  if (found === undefined) return api.create(url);
  if (!found.valid) await api.validate(found.id);
  return { ...found, valid: true };
}

/** @returns Why the user's token is of no use; undefined when the user is subscribed. */
async function subscribe(api: AccountActivity, webhookId: string, token: OAuthToken | undefined): Promise<string | undefined> {
  if (token === undefined) return 'No key opens its credentials';
  try {
    await api.subscribe(webhookId, token);
    return undefined;
  } catch (error) {
    if (error instanceof XApiError && isUsers(error)) return error.message;
    throw error;
  }
}

/** The token's own fault, not the limit's, which is said with 403 as well. */
const isUsers = ({ status, message }: XApiError): boolean => status === 401 || (status === 403 && !/limit|too many/i.test(message));
