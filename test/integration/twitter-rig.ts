import { SubscriptionKeeper } from '../../src/channels/twitter/subscriptions/subscription-keeper';
import { eventually } from '../support/eventually';
import { XApi, X_APP } from '../support/x-api';
import { type ENGINES, RestApp } from './rest-app';

export const PUBLIC_URL = 'https://hooks.example.com';
export const FORMS = ['v2', 'v1.1'] as const;

/** What GET /api/v1/channels/twitter tells of the keeper. */
export interface KeeperView {
  status: 'off' | 'starting' | 'ok' | 'failing';
  missing: string[];
  webhook: { id: string; url: string; valid: boolean } | null;
  subscribed: string[];
  foreign: string[];
  waiting: string[];
  refused: { userId: string; reason: string }[];
  checkedAt: string | null;
  nextCheckAt: string | null;
  lastError: { at: string; message: string } | null;
}

/** The application with the channel on, and a platform for it. No round comes by itself unless `env` shortens the waits. */
export class TwitterRig {
  private constructor(
    readonly api: XApi,
    readonly app: RestApp,
  ) {}

  static async start(engine: (typeof ENGINES)[number], env: NodeJS.ProcessEnv = {}): Promise<TwitterRig> {
    const api = await XApi.start();
    const app = await RestApp.start(engine, { ...settingsOf(api), ...env });
    api.names.set(PUBLIC_URL, app.url);
    return new TwitterRig(api, app);
  }

  get keeper(): SubscriptionKeeper {
    return this.app.app.get(SubscriptionKeeper, { strict: false });
  }

  /** A user that has given its permission, as an identity of the account. */
  async add(account: string, userId: string, credentials: object | null = this.api.authorize(userId)): Promise<void> {
    const identity = { channel: 'twitter', externalId: userId, credentials };
    await this.app.must(201, 'POST', `/api/v1/accounts/${account}/identities`, identity);
  }

  async remove(account: string, userId: string): Promise<void> {
    await this.app.must(204, 'DELETE', `/api/v1/accounts/${account}/identities/twitter/${userId}`);
  }

  /** Whoever looks whether it is time for a turn finds that it is not. */
  async putOffLooks(): Promise<void> {
    await this.app.storage.db
      .updateTable('chores')
      .set({ next_at: Date.now() + 5_000 })
      .where('name', '=', 'twitter-subscriptions')
      .execute();
  }

  async state(): Promise<KeeperView> {
    return (await this.app.must(200, 'GET', '/api/v1/channels/twitter')).state as KeeperView;
  }

  /** The keeper's state once it is so. */
  stateIs(what: string, matches: (state: KeeperView) => boolean): Promise<KeeperView> {
    return eventually(what, async () => {
      const state = await this.state();
      if (!matches(state)) throw new Error(JSON.stringify(state));
      return state;
    });
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.api.stop();
  }
}

export const settingsOf = (api: XApi): Record<string, string> => ({
  HOOK_SERVER_PUBLIC_URL: PUBLIC_URL,
  HOOK_SERVER_TWITTER_ENABLED: 'true',
  HOOK_SERVER_TWITTER_CONSUMER_KEY: X_APP.consumerKey,
  HOOK_SERVER_TWITTER_CONSUMER_SECRET: X_APP.consumerSecret,
  HOOK_SERVER_TWITTER_BEARER_TOKEN: X_APP.bearerToken,
  HOOK_SERVER_TWITTER_API_URL: api.url,
  HOOK_SERVER_TWITTER_SUBSCRIBE_INTERVAL: '3600',
  HOOK_SERVER_TWITTER_SLEEP_AFTER_ERROR: '3600',
});
