import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module';
import { BrokerModule } from '../broker/broker.module';
import { DispatcherModule } from '../dispatcher/dispatcher.module';
import { DoorModule } from '../http/door';
import { MetricsModule } from '../metrics/metrics.module';
import { StorageModule } from '../storage/storage.module';
import { ThreadsModule } from '../threads/threads.module';
import { ChannelInbox, Channels } from './channel';
import { ChannelConsumer } from './channel-consumer';
import { ChannelsController } from './channels.controller';
import { DoorCounter } from './door-counter';
import { StartWarnings } from './start-warnings';

/** The ground that each channel's module builds on. */
@Module({
  imports: [AuthModule, BrokerModule, DispatcherModule, DoorModule, MetricsModule, StorageModule, ThreadsModule],
  controllers: [ChannelsController],
  providers: [Channels, ChannelInbox, ChannelConsumer, DoorCounter, StartWarnings],
  exports: [Channels, ChannelInbox],
})
export class ChannelsModule {}
