import { Module } from '@nestjs/common';
import { ServerConfig } from '../../config/app.config';
import { provideConfig } from '../../config/provide-config';
import { DispatcherModule } from '../../dispatcher/dispatcher.module';
import { DoorModule, DoorRegistry } from '../../http/door';
import { MetricsModule } from '../../metrics/metrics.module';
import { StorageModule } from '../../storage/storage.module';
import { Channels } from '../channel';
import { channelCheck } from '../channel-check';
import { ChannelsModule } from '../channels.module';
import { KeeperGauges } from './subscriptions/keeper-gauges';
import { KeeperSettings } from './subscriptions/keeper-settings';
import { Revocations } from './subscriptions/revocations';
import { SubscriptionKeeper } from './subscriptions/subscription-keeper';
import { XApi } from './subscriptions/x-api';
import { TwitterConfig } from './twitter.config';
import { TwitterController } from './twitter.controller';
import { TWITTER_QUEUE, TwitterDoor } from './twitter.door';
import { parseTwitter } from './twitter.parser';
import { TWITTER, TwitterSignature } from './twitter.signature';

@Module({
  imports: [ChannelsModule, DispatcherModule, DoorModule, MetricsModule, StorageModule],
  controllers: [TwitterController],
  providers: [
    provideConfig(ServerConfig),
    provideConfig(TwitterConfig),
    KeeperGauges,
    KeeperSettings,
    Revocations,
    SubscriptionKeeper,
    TwitterDoor,
    TwitterSignature,
    XApi,
  ],
})
export class TwitterModule {
  constructor(
    config: TwitterConfig,
    door: TwitterDoor,
    channels: Channels,
    doors: DoorRegistry,
    keeper: SubscriptionKeeper,
    revocations: Revocations,
  ) {
    const isConfigured = config.consumerSecret.length > 0;
    doors.register(TWITTER, {
      isEnabled: () => config.enabled,
      missingSetting: () => (isConfigured ? undefined : 'hookServer.twitter.consumerSecret'),
      receive: (request) => door.receive(request),
      checks: () =>
        channelCheck(TWITTER, 'twitter', {
          settings: { secrets: config.consumerSecret },
          context: { publicUrl: null },
          secretSetting: 'hookServer.twitter.consumerSecret',
        }),
    });
    channels.register({
      name: TWITTER,
      isEnabled: config.enabled,
      isConfigured,
      isProcessing: config.processEnabled,
      lanes: [{ name: 'default', queue: TWITTER_QUEUE, workerCount: config.workerCount }],
      parse: ({ body, contentType }) => parseTwitter(body, contentType),
      dispatched: (requests) => revocations.follow(requests),
      state: () => keeper.state(),
    });
  }
}
