import { Module } from '@nestjs/common';
import { provideConfig } from '../config/provide-config';
import { MetricsModule } from '../metrics/metrics.module';
import { StorageModule } from '../storage/storage.module';
import { RefusalsConfig } from './refusals.config';
import { RefusalsService } from './refusals.service';

@Module({
  imports: [MetricsModule, StorageModule],
  providers: [provideConfig(RefusalsConfig), RefusalsService],
  exports: [RefusalsService],
})
export class RefusalsModule {}
