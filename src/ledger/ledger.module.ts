import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module';
import { BrokerModule } from '../broker/broker.module';
import { ChannelsModule } from '../channels/channels.module';
import { provideConfig } from '../config/provide-config';
import { DeliveryModule } from '../dispatcher/delivery/delivery.module';
import { DispatcherModule } from '../dispatcher/dispatcher.module';
import { MetricsModule } from '../metrics/metrics.module';
import { RetentionConfig } from '../retention/retention.config';
import { StorageModule } from '../storage/storage.module';
import { DoorCheck } from './door-check';
import { LedgerCheck } from './ledger-check.service';
import { LedgerController } from './ledger.controller';
import { LedgerService } from './ledger.service';
import { Reconciler } from './reconciler.service';
import { Repairs } from './repairs';

@Module({
  imports: [AuthModule, BrokerModule, ChannelsModule, DeliveryModule, DispatcherModule, MetricsModule, StorageModule],
  controllers: [LedgerController],
  providers: [provideConfig(RetentionConfig), DoorCheck, LedgerCheck, LedgerService, Reconciler, Repairs],
  exports: [LedgerService],
})
export class LedgerModule {}
