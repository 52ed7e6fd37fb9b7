import type { OAuthToken } from '../../../dispatcher/registry/identity-credentials';
import { XApiError } from './x-api';

export interface PlatformWebhook {
  id: string;
  url: string;
  /** False: it gets no events until it is validated. */
  valid: boolean;
}

export interface Usage {
  /** Subscriptions of the app, over all its webhooks. */
  total: number;
  /** How many the platform grants; undefined where it does not say. */
  granted: number | undefined;
}

/** The Account Activity API in one of its forms. Everything throws XApiError. */
export interface AccountActivity {
  webhooks(): Promise<PlatformWebhook[]>;
  /** The platform asks the URL for a check meanwhile. */
  create(url: string): Promise<PlatformWebhook>;
  /** Has the platform check the URL again. */
  validate(webhookId: string): Promise<void>;
  /** Ids of users. */
  subscriptions(webhookId: string): Promise<string[]>;
  subscribe(webhookId: string, token: OAuthToken): Promise<void>;
  unsubscribe(webhookId: string, userId: string): Promise<void>;
  /** Undefined where the app may not ask. */
  usage(): Promise<Usage | undefined>;
}

/** What is to be so is so: a subscription that is there already, one that is gone already. */
export async function unlessSo(call: Promise<unknown>, isSo: (error: XApiError) => boolean): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof XApiError) || !isSo(error)) throw error;
  }
}

export const isNotFound = ({ status }: XApiError): boolean => status === 404;

/** As v1.1 (409, code 355) and v2 say it. */
export const isSubscribedAlready = ({ status, message }: XApiError): boolean =>
  status === 409 || (status !== null && message.includes('DuplicateSubscriptionFailed'));

/** The counts are texts. */
export function usageIn(answer: unknown): Usage {
  const { subscriptions_count_all, provisioned_count } = objectOf(answer);
  return { total: countOf(subscriptions_count_all) ?? 0, granted: countOf(provisioned_count) };
}

export async function usageOf(call: Promise<unknown>, read: (answer: unknown) => Usage): Promise<Usage | undefined> {
  try {
    return read(await call);
  } catch (error) {
    if (error instanceof XApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
}

export function webhookIn(value: unknown): PlatformWebhook {
  const { id, url, valid } = objectOf(value);
  if (typeof id !== 'string' || typeof url !== 'string') throw new XApiError('The platform tells of a webhook without id and url', null);
  return { id, url, valid: valid === true };
}

export const userIdsIn = (subscriptions: unknown): string[] =>
  listOf(subscriptions)
    .map((subscription) => objectOf(subscription)['user_id'])
    .filter((id) => typeof id === 'string');

export const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

function countOf(value: unknown): number | undefined {
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 ? count : undefined;
}
