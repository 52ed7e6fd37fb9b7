import { Module } from '@nestjs/common';
import { provideConfig } from '../../config/provide-config';
import { DoorModule, DoorRegistry } from '../../http/door';
import { Channels } from '../channel';
import { ChannelsModule } from '../channels.module';
import { TwitterConfig } from './twitter.config';
import { TWITTER_QUEUE, TwitterController } from './twitter.controller';
import { parseTwitter } from './twitter.parser';
import { TWITTER, TwitterSignature } from './twitter.signature';

@Module({
  imports: [ChannelsModule, DoorModule],
  controllers: [TwitterController],
  providers: [provideConfig(TwitterConfig), TwitterSignature],
})
export class TwitterModule {
  constructor(config: TwitterConfig, channels: Channels, doors: DoorRegistry) {
    const isConfigured = config.consumerSecret.length > 0;
    doors.register(TWITTER, {
      isEnabled: () => config.enabled,
      missingSetting: () => (isConfigured ? undefined : 'hookServer.twitter.consumerSecret'),
    });
    channels.register({
      name: TWITTER,
      isEnabled: config.enabled,
      isConfigured,
      isProcessing: config.processEnabled,
      lanes: [{ name: 'default', queue: TWITTER_QUEUE, workerCount: config.workerCount }],
      parse: ({ body, contentType }) => parseTwitter(body, contentType),
    });
  }
}
