import { Module } from '@nestjs/common';
import { provideConfig } from '../config/provide-config';
import { MetricsModule } from '../metrics/metrics.module';
import { RefusalsConfig } from '../refusals/refusals.config';
import { StorageModule } from '../storage/storage.module';
import { RetentionConfig } from './retention.config';
import { Retention } from './retention.service';

@Module({
  imports: [MetricsModule, StorageModule],
  providers: [provideConfig(RefusalsConfig), provideConfig(RetentionConfig), Retention],
})
export class RetentionModule {}
