import type { OAuthToken } from '../../../dispatcher/registry/identity-credentials';
import {
  type AccountActivity,
  type PlatformWebhook,
  type Usage,
  isNotFound,
  isSubscribedAlready,
  listOf,
  objectOf,
  unlessSo,
  usageIn,
  usageOf,
  userIdsIn,
  webhookIn,
} from './account-activity';
import type { XApi } from './x-api';

/** The present form: webhooks belong to the app, subscriptions to a webhook. */
export class AccountActivityV2 implements AccountActivity {
  constructor(private readonly api: XApi) {}

  async webhooks(): Promise<PlatformWebhook[]> {
    return listOf(dataOf(await this.api.call('GET', '/2/webhooks', 'app'))).map(webhookIn);
  }

  async create(url: string): Promise<PlatformWebhook> {
    return webhookIn(dataOf(await this.api.call('POST', '/2/webhooks', 'app', { url })));
  }

  async validate(webhookId: string): Promise<void> {
    await this.api.call('PUT', `/2/webhooks/${encodeURIComponent(webhookId)}`, 'app');
  }

  async subscriptions(webhookId: string): Promise<string[]> {
    const data = dataOf(await this.api.call('GET', `${subscriptionsOf(webhookId)}/all/list`, 'app'));
    return userIdsIn(objectOf(data)['subscriptions']);
  }

  subscribe(webhookId: string, token: OAuthToken): Promise<void> {
    return unlessSo(this.api.call('POST', `${subscriptionsOf(webhookId)}/all`, token), isSubscribedAlready);
  }

  unsubscribe(webhookId: string, userId: string): Promise<void> {
    return unlessSo(this.api.call('DELETE', `${subscriptionsOf(webhookId)}/${encodeURIComponent(userId)}/all`, 'app'), isNotFound);
  }

  usage(): Promise<Usage | undefined> {
    return usageOf(this.api.call('GET', '/2/account_activity/subscriptions/count', 'app'), (answer) => usageIn(dataOf(answer)));
  }
}

const subscriptionsOf = (webhookId: string): string => `/2/account_activity/webhooks/${encodeURIComponent(webhookId)}/subscriptions`;

const dataOf = (answer: unknown): unknown => objectOf(answer)['data'];
