import { Module } from '@nestjs/common';
import { MetricsModule } from '../metrics/metrics.module';
import { StorageModule } from '../storage/storage.module';
import { DeliveryModule } from './delivery/delivery.module';
import { DispatcherService } from './dispatcher.service';
import { RegistryModule } from './registry/registry.module';

@Module({
  imports: [DeliveryModule, MetricsModule, RegistryModule, StorageModule],
  providers: [DispatcherService],
  exports: [DispatcherService, RegistryModule],
})
export class DispatcherModule {}
