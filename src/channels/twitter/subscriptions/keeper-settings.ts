import { Injectable } from '@nestjs/common';
import { ServerConfig } from '../../../config/app.config';
import { TwitterConfig } from '../twitter.config';
import type { AccountActivity } from './account-activity';
import { AccountActivityV1 } from './account-activity-v1';
import { AccountActivityV2 } from './account-activity-v2';
import type { Limits } from './plan';
import { XApi } from './x-api';

/** What the settings say of keeping subscriptions. */
@Injectable()
export class KeeperSettings {
  readonly api: AccountActivity;
  readonly limits: Limits;
  readonly webhookUrl: string;
  readonly intervalMs: number;
  readonly sleepAfterErrorMs: number;
  /** Settings that are not set and without which nothing is kept. */
  readonly missing: readonly string[];
  /** Whether the channel is switched on. */
  readonly isEnabled: boolean;
  readonly isOn: boolean;

  constructor(config: TwitterConfig, server: ServerConfig, api: XApi) {
    this.api = config.api === 'v2' ? new AccountActivityV2(api) : new AccountActivityV1(api, config.envName);
    this.limits = { max: config.maxSubscribers, priorityAccounts: config.priorityCompanies };
    this.webhookUrl = `${(server.publicUrl ?? '').replace(/\/+$/, '')}/twitter`;
    this.intervalMs = config.subscribeInterval * 1_000;
    this.sleepAfterErrorMs = config.sleepAfterError * 1_000;
    const needed = {
      'hookServer.publicUrl': server.publicUrl,
      'hookServer.twitter.consumerKey': config.consumerKey,
      'hookServer.twitter.consumerSecret': config.consumerSecret[0],
      'hookServer.twitter.bearerToken': config.bearerToken,
    };
    this.missing = Object.entries(needed).flatMap(([name, value]) => (value ? [] : [name]));
    this.isEnabled = config.enabled;
    this.isOn = config.enabled && this.missing.length === 0;
  }
}
