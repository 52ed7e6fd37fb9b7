import { createHash } from 'node:crypto';
import type { OAuthToken, PlatformIdentity } from '../../../dispatcher/registry/identity-credentials';
import type { AccountActivity, PlatformWebhook } from './account-activity';
import { type Limits, planSubscriptions } from './plan';
import { XApiError } from './x-api';

/** How the platform stands after a round; after one that failed half-way, as far as it is known. */
export interface Standing {
  webhook: PlatformWebhook | null;
  /** Ids of users. */
  subscribed: string[];
  /** Those of them that never had an identity here. */
  foreign: string[];
  /** Wanted, but beyond the limit. */
  waiting: string[];
  /** Whose token the platform does not accept, or no key opens. */
  refused: Refusal[];
}

export interface Refusal {
  userId: string;
  reason: string;
  /** Hash of the sealed credentials: another token is another try. */
  token: string;
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
 * other error ends the round. Only users that have or had an identity are unsubscribed: a gateway that is new to an app, or has lost its
 * database, must not end what it knows nothing of.
 * @param standing What the last round left; brought up to date call by call.
 * @throws XApiError
 */
export async function runRound(api: AccountActivity, options: RoundOptions, standing: Standing): Promise<void> {
  const webhook = await webhookFor(api, options.webhookUrl);
  standing.webhook = webhook;
  const subscribed = new Set(await api.subscriptions(webhook.id));
  const foreign = foreignOf(subscribed, options.identities, standing);
  Object.assign(standing, { subscribed: [...subscribed], foreign: [...foreign] });
  const usage = await api.usage();
  const ours = new Set([...subscribed].filter((userId) => !foreign.has(userId)));
  standing.refused = stillRefused(standing.refused, options.identities, ours);

  // What the platform grants bounds what is added, and never ends what it has: subscriptions of the app's other webhooks, and foreign
  // ones, take room as well.
  const others = foreign.size + Math.max(0, (usage?.total ?? 0) - subscribed.size);
  const max = Math.min(options.max, Math.max(ours.size, (usage?.granted ?? Infinity) - others));
  const refused = new Set(standing.refused.map(({ userId }) => userId));
  const plan = planSubscriptions(options.identities, ours, refused, { ...options, max });
  standing.waiting = waitingOf(plan.candidates.slice(plan.places), refused);

  for (const userId of plan.unsubscribe) {
    if (options.isStopped()) return;
    await api.unsubscribe(webhook.id, userId);
    subscribed.delete(userId);
    standing.subscribed = [...subscribed];
  }
  let { places } = plan;
  for (const [index, identity] of plan.candidates.entries()) {
    standing.waiting = waitingOf(plan.candidates.slice(index + places), refused);
    if (options.isStopped() || places <= 0) return;
    const userId = identity.externalId;
    const reason = await subscribe(api, webhook.id, options.open(identity));
    standing.refused = standing.refused.filter((refusal) => refusal.userId !== userId);
    if (reason === undefined) {
      standing.subscribed.push(userId);
      places -= 1;
    } else {
      standing.refused.push({ userId, reason, token: hashOf(identity) });
    }
  }
  standing.waiting = [];
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

/** Subscribed users without an identity, but for those that had one when the last round was over. */
function foreignOf(subscribed: ReadonlySet<string>, identities: readonly PlatformIdentity[], before: Standing): Set<string> {
  const ours = new Set([...before.subscribed, ...identities.map(({ externalId }) => externalId)]);
  const wereForeign = new Set(before.foreign);
  for (const { externalId } of identities) wereForeign.delete(externalId);
  return new Set([...subscribed].filter((userId) => !ours.has(userId) || wereForeign.has(userId)));
}

/** Those that are neither subscribed by now nor have another token. */
function stillRefused(refused: readonly Refusal[], identities: readonly PlatformIdentity[], subscribed: ReadonlySet<string>): Refusal[] {
  if (refused.length === 0) return [];
  const tokens = new Map(identities.map((identity) => [identity.externalId, hashOf(identity)]));
  return refused.filter(({ userId, token }) => !subscribed.has(userId) && tokens.get(userId) === token);
}

/** Who is refused does not wait for room. */
const waitingOf = (identities: readonly PlatformIdentity[], refused: ReadonlySet<string>): string[] =>
  identities.map(({ externalId }) => externalId).filter((userId) => !refused.has(userId));

const hashOf = ({ credentials }: PlatformIdentity): string =>
  createHash('sha256')
    .update(credentials ?? '')
    .digest('base64url');
