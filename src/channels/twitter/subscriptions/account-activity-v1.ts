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

const ALL = '/1.1/account_activity/all';

/** The premium form: webhooks and subscriptions belong to an environment, which has one webhook at most. */
export class AccountActivityV1 implements AccountActivity {
  private readonly environment: string;

  constructor(
    private readonly api: XApi,
    private readonly envName: string,
  ) {
    this.environment = `${ALL}/${encodeURIComponent(envName)}`;
  }

  async webhooks(): Promise<PlatformWebhook[]> {
    const { environments } = objectOf(await this.api.call('GET', `${ALL}/webhooks.json`, 'app'));
    return listOf(environments)
      .map(objectOf)
      .filter((environment) => environment['environment_name'] === this.envName)
      .flatMap((environment) => listOf(environment['webhooks']).map(webhookIn));
  }

  async create(url: string): Promise<PlatformWebhook> {
    return webhookIn(await this.api.call('POST', `${this.environment}/webhooks.json?url=${encodeURIComponent(url)}`, 'owner'));
  }

  async validate(webhookId: string): Promise<void> {
    await this.api.call('PUT', `${this.environment}/webhooks/${encodeURIComponent(webhookId)}.json`, 'owner');
  }

  async subscriptions(): Promise<string[]> {
    return userIdsIn(objectOf(await this.api.call('GET', `${this.environment}/subscriptions/list.json`, 'app'))['subscriptions']);
  }

  subscribe(_webhookId: string, token: OAuthToken): Promise<void> {
    return unlessSo(this.api.call('POST', `${this.environment}/subscriptions.json`, token), isSubscribedAlready);
  }

  unsubscribe(_webhookId: string, userId: string): Promise<void> {
    return unlessSo(this.api.call('DELETE', `${this.environment}/subscriptions/${encodeURIComponent(userId)}.json`, 'app'), isNotFound);
  }

  usage(): Promise<Usage | undefined> {
    return usageOf(this.api.call('GET', `${ALL}/count.json`, 'app'), usageIn);
  }
}
